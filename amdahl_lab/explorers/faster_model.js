// What the explorer of A and B knows: two noisy clocks on a machine that drifts.
// faster.js draws it. The same sums as FasterExplorer in faster.py; tests/browser compares them.

const TRUTHS = [-0.05, -0.02, 0, 0, 0.02, 0.05]; // by how much B is slower than A
const REPEATS = 200;

// Tommy Ettinger's mulberry32: numbers between 0 and 1.
function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function normals(seed) {
  const next = uniform(seed);
  return () => {
    const [u, v] = [next(), next()];
    return Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
  };
}

const mean = (values) => values.reduce((sum, v) => sum + v, 0) / values.length;
function variance(values) {
  const centre = mean(values);
  return values.reduce((sum, v) => sum + (v - centre) ** 2, 0) / (values.length - 1);
}

Object.assign(formulas, {
  hiddenTruth(seed) {
    return TRUTHS[Math.floor(uniform(seed)() * TRUTHS.length)];
  },

  // The 97.5% point of Student's t: exact for 2 degrees of freedom, a series of Fisher's above.
  studentPoint(freedom) {
    if (freedom === 2) return 4.302652729911275;
    const z = 1.959963984540054;
    const terms = [(z ** 3 + z) / 4, (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96,
      (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384,
      (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92160];
    return terms.reduce((sum, term, k) => sum + term / freedom ** (k + 1), z);
  },

  // One experiment: [turn, side, logarithm of its time] for each of its turns.
  experiment(q, seed) {
    const [R, draw, truth] = [q.rounds, normals(seed), formulas.hiddenTruth(q.seed)];
    return Array.from({ length: 2 * R }, (_, turn) => {
      const side = q.order === "blocks" ? Number(turn >= R) : (turn + Math.floor(turn / 2)) % 2;
      const drifted = (Math.log1p(q.drift) * turn) / (2 * R - 1);
      return [turn, side, side * truth + drifted + q.noise * draw()];
    });
  },

  // B's time over A's less 1, by logarithms: [estimate, low, high] at 95%.
  comparison(q, seed) {
    const turns = formulas.experiment(q, seed);
    const [a, b] = [0, 1].map((side) => turns.filter((t) => t[1] === side).map((t) => t[2]));
    const [R, centre] = [q.rounds, mean(b) - mean(a)];
    const half = q.order === "blocks"
      ? formulas.studentPoint(2 * R - 2) * Math.sqrt((variance(a) + variance(b)) / R)
      : formulas.studentPoint(R - 1) * Math.sqrt(variance(b.map((v, k) => v - a[k])) / R);
    return [centre, centre - half, centre + half];
  },

  // The share of repeated experiments whose interval misses the truth.
  wrongShare(q) {
    const truth = formulas.hiddenTruth(q.seed);
    let missed = 0;
    for (let k = 1; k <= REPEATS; k += 1) {
      const [, low, high] = formulas.comparison(q, q.seed + 1000 * k);
      missed += Number(!(low <= truth && truth <= high));
    }
    return missed / REPEATS;
  },
});

const SETTINGS = ["rounds", "order", "noise", "drift", "seed"];
const NAMES = [...SETTINGS, "revealed"];
const ROUNDS = [3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100];
const NOISES = [0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1];
const DRIFTS = [0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2];

const signed = (v) => `${v < 0 ? "−" : v > 0 ? "+" : ""}${(100 * Math.abs(v)).toFixed(1)}%`;

function read(model) {
  const q = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
  const [centre, low, high] = formulas.comparison(q, q.seed);
  const truth = formulas.hiddenTruth(q.seed);
  return { q, turns: formulas.experiment(q, q.seed), centre, low, high, truth,
    inside: low <= truth && truth <= high, wrong: formulas.wrongShare(q),
    revealed: model.get("revealed") };
}

function verdict({ low, high }) {
  if (high < 0) return "B is faster";
  return low > 0 ? "A is faster" : "no difference seen";
}

function truthText(truth) {
  if (truth === 0) return "A and B are the same program";
  return `B is ${truth < 0 ? "faster" : "slower"} by ${(100 * Math.abs(truth)).toFixed(0)}%`;
}

function sentence(now) {
  const { q, centre, low, high, truth, inside, wrong, revealed } = now;
  const told = revealed ? ` The truth: ${truthText(truth)}, ${inside ? "inside" : "outside"} the `
    + "interval." : "";
  return `${q.rounds} rounds, ${q.order === "blocks" ? "all of A first" : "A and B in turn"}: B's `
    + `time against A's ${signed(centre)}, 95% interval ${signed(low)} to ${signed(high)}; `
    + `${verdict(now)}. Of ${REPEATS} such experiments ${percent(wrong, 2)} miss the truth.${told}`;
}
