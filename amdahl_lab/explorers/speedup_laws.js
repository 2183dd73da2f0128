// What the speedup explorer knows: four laws, their settings, and the sentences about them.
// speedup.js draws it. Symbols are those of the notation page.

// `at(q)` is the law as a function of N at the settings q; `shares(q, N)` are the parts of the time
// on N workers, in any unit; `bend(q, S, N)` are the settings whose curve passes through (N, S).
const LAWS = {
  amdahl: {
    name: "Amdahl",
    title: "Amdahl’s law",
    formula: "<i>S</i> = 1 / (<i>s</i> + (1 − <i>s</i>) / <i>N</i>)",
    story: "The problem stays the same. A share <i>s</i> of its time on one worker cannot be divided.",
    sliders: ["serial_fraction"],
    at: (q) => (N) => formulas.amdahlSpeedup(N, q.serial_fraction),
    limit: (q) => formulas.amdahlLimit(q.serial_fraction),
    shares: ({ serial_fraction: s }, N) => ({ serial: s, "divided work": (1 - s) / N }),
    bend: (q, S, N) => ({ serial_fraction: formulas.karpFlatt(S, N) }),
    others: () => [],
  },
  gustafson: {
    name: "Gustafson",
    title: "Gustafson’s law",
    formula: "<i>S</i> = <i>N</i> + (1 − <i>N</i>) <i>s</i>′",
    story: "The problem grows until <i>N</i> workers take as long as one did. A share <i>s</i>′ of "
      + "that time is serial.",
    sliders: ["serial_fraction"],
    at: (q) => (N) => formulas.gustafsonSpeedup(N, q.serial_fraction),
    limit: (q) => (q.serial_fraction === 1 ? 1 : Infinity),
    shares: ({ serial_fraction: s }) => ({ serial: s, "divided work": 1 - s }),
    bend: (q, S, N) => ({ serial_fraction: formulas.gustafsonSerialFraction(S, N) }),
    others: (q) => [["Amdahl, same fraction", LAWS.amdahl.at(q)]],
  },
  sun_ni: {
    name: "Sun–Ni",
    title: "Sun and Ni’s law",
    formula: "<i>S</i> = (<i>s</i> + <i>pG</i>) / (<i>s</i> + <i>pG</i> / <i>N</i>), "
      + "<i>G</i> = <i>N</i><sup><i>a</i></sup>, <i>p</i> = 1 − <i>s</i>",
    story: "The parallel work grows with the memory of <i>N</i> workers: <i>a</i> = 0 is Amdahl’s "
      + "law, <i>a</i> = 1 is Gustafson’s.",
    sliders: ["serial_fraction", "growth"],
    at: (q) => (N) => formulas.sunNiSpeedup(N, q.serial_fraction, N ** q.growth),
    limit: (q) => (q.growth > 0 && q.serial_fraction < 1 ? Infinity : 1 / q.serial_fraction),
    shares: ({ serial_fraction: s, growth: a }, N) => (
      { serial: s, "divided work": ((1 - s) * N ** a) / N }),
    bend: (q, S, N) => (
      { serial_fraction: formulas.sunNiSerialFraction(S, N, N ** q.growth) }),
    others: (q) => [["Amdahl, a = 0", LAWS.amdahl.at(q)], ["Gustafson, a = 1", LAWS.gustafson.at(q)]],
  },
  usl: {
    name: "Universal",
    title: "The Universal Scalability Law",
    formula: "<i>S</i> = <i>N</i> / (1 + <i>σ</i>(<i>N</i> − 1) + <i>κN</i>(<i>N</i> − 1))",
    story: "Workers queue for something shared (<i>σ</i>) and keep each other up to date (<i>κ</i>), "
      + "so one more can make it slower.",
    sliders: ["contention", "coherency"],
    at: (q) => (N) => formulas.uslSpeedup(N, q.contention, q.coherency),
    limit: (q) => (q.coherency > 0
      ? LAWS.usl.at(q)(formulas.uslPeak(q.contention, q.coherency)) : 1 / q.contention),
    shares: ({ contention, coherency }, N) => ({
      "divided work": 1, queueing: contention * (N - 1), exchange: coherency * N * (N - 1),
    }),
    bend: (q, S, N) => ({ contention: formulas.uslContention(S, N, q.coherency) }),
    others: (q) => (q.coherency > 0
      ? [["Amdahl, s = σ", (N) => formulas.amdahlSpeedup(N, q.contention)]] : []),
  },
};

const FRACTIONS = decades(0.001, 1, { zero: true });
const COHERENCIES = decades(1e-6, 0.1, { zero: true, step: 0.2 });
const EXPONENTS = Array.from({ length: 31 }, (_, k) => k / 20);
const SETTINGS = ["serial_fraction", "growth", "contention", "coherency"];
const NAMES = ["law", "workers", "reach", ...SETTINGS, "points", "provenance"];
const workersText = (n) => `${number(n)} ${n === 1 ? "worker" : "workers"}`;

// Everything that the picture says, as numbers, from the model alone.
function read(model) {
  const q = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
  const law = LAWS[model.get("law")];
  const [N, at] = [model.get("workers"), law.at(q)];
  const peak = law === LAWS.usl ? formulas.uslPeak(q.contention, q.coherency) : Infinity;
  return {
    q, law, N, at, peak, S: at(N), next: at(2 * N) / at(N) - 1, limit: law.limit(q),
    half: formulas.workersForEfficiency(at, 0.5),
  };
}

function sentence({ law, q, N, S, next, limit, peak }) {
  const fraction = law === LAWS.usl
    ? `${percent(q.contention)} contention and coherency ${number(q.coherency)}`
    : `${percent(q.serial_fraction)} serial work`;
  const growth = law === LAWS.sun_ni ? `, parallel work growing as N to the ${number(q.growth)}` : "";
  const change = next < 0 ? `costs ${percent(-next, 2)}` : `adds ${percent(next, 2)}`;
  let end = "This law sets no limit.";
  if (Number.isFinite(peak)) end = `The peak is ${number(limit)} at ${workersText(peak)}.`;
  else if (Number.isFinite(limit)) end = `No number of workers gets past ${number(limit)}.`;
  return `${law.title}, ${fraction}${growth}: on ${workersText(N)} the speedup is `
    + `${number(S)}, an efficiency of ${percent(S / N, 2)}. Doubling the workers to `
    + `${number(2 * N)} ${change}. ${end}`;
}

function measuredText(points, provenance) {
  const each = points.map((p) => `${workersText(p.workers)} ${number(p.speedup)} `
    + `(${number(p.low)} to ${number(p.high)}${p.oversubscribed ? ", oversubscribed" : ""})`);
  return points.length ? `Measured speedups, 95% interval: ${each.join("; ")}. ${provenance}` : "";
}
