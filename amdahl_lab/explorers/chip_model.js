// What the chip explorer knows: Hill and Marty's three designs. chip.js draws them. The same
// formulas as amdahl_lab.laws.multicore; tests/browser holds the two together.

Object.assign(formulas, {
  // Seconds of serial and of parallel work, of one on a core of one unit, on n units with cores of r.
  chipTimes(design, s, n, r) {
    const fast = Math.sqrt(r);
    const together = { symmetric: (fast * n) / r, asymmetric: fast + n - r, dynamic: n }[design];
    return { serial: s / fast, parallel: (1 - s) / together };
  },
  chipSpeedup(design, s, n, r) {
    const { serial, parallel } = formulas.chipTimes(design, s, n, r);
    return 1 / (serial + parallel);
  },
  // The best r for perf(r) = sqrt(r), not rounded.
  bestCore(design, s, n) {
    if (design === "dynamic") return n;
    if (design === "symmetric") return s < 1 ? clamp((s * n) / (1 - s), 1, n) : n;
    let [low, high] = [1, Math.sqrt(n)];
    for (let k = 0; k < 60; k += 1) {
      const x = (low + high) / 2;
      if (s * (n + x - x * x) ** 2 > (1 - s) * x * x * (2 * x - 1)) low = x;
      else high = x;
    }
    return low * low;
  },
});

const DESIGNS = [["symmetric", "equal cores"], ["asymmetric", "one large core"],
  ["dynamic", "cores that join"]];
const CHIPS = [16, 64, 256, 1024];
const FRACTIONS = [0, ...decades(0.001, 0.1, { step: 0.5 }),
  ...Array.from({ length: 40 }, (_, k) => Number((0.11 + k / 100).toFixed(2)))];
const NAMES = ["design", "chip", "core", "serial_fraction"];
const cores = (n) => `${number(n)} ${n === 1 ? "unit" : "units"}`;

// How many cores there are, in words.
function inventory(design, n, r) {
  if (design === "symmetric") return `${number(n / r)} cores of ${cores(r)}`;
  if (design === "asymmetric") return `one core of ${cores(r)}, ${number(n - r)} of one unit`;
  return `${number(n)} small cores, of which ${number(r)} join for serial work`;
}

// Everything that the picture says, as numbers, from the model alone.
function read(model) {
  const [design, n, s] = ["design", "chip", "serial_fraction"].map((name) => model.get(name));
  const r = clamp(model.get("core"), 1, n);
  const times = formulas.chipTimes(design, s, n, r);
  const best = formulas.bestCore(design, s, n);
  return { design, n, s, r, times, best, speedup: formulas.chipSpeedup(design, s, n, r),
    top: formulas.chipSpeedup(design, s, n, best), smallest: formulas.chipSpeedup(design, s, n, 1) };
}

function sentence({ design, n, s, r, times, speedup, best, top }) {
  const busy = times.serial / (times.serial + times.parallel);
  return `${inventory(design, n, r)}: ${number(speedup)} times as fast as one small core, at a serial `
    + `fraction of ${percent(s)}. Serial work takes ${percent(busy, 2)} of the time. The best core of `
    + `this design has ${cores(best)} and gives ${number(top)}.`;
}
