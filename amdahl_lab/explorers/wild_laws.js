// What the explorer of published series knows: three laws, how well each goes through the points
// that are shown, and its guess at the one that is not. wild.js draws it.

// `h(q)` is the time of a sample at N and batch B, but for a factor; `names` are its settings.
const RIVALS = {
  amdahl: {
    name: "Amdahl",
    title: "Amdahl’s law",
    formula: "<i>T</i> ∝ <i>s</i> + (1 − <i>s</i>) / <i>N</i>",
    story: "Knows the number of workers. A share <i>s</i> of one worker’s time is never divided.",
    names: ["serial_fraction"],
    h: (q) => (N) => 1 / N + q.serial_fraction * (1 - 1 / N),
  },
  usl: {
    name: "Universal",
    title: "The Universal Scalability Law",
    formula: "<i>T</i> ∝ (1 + <i>σ</i>(<i>N</i> − 1) + <i>κN</i>(<i>N</i> − 1)) / <i>N</i>",
    story: "Knows the number of workers, too, and has a third unknown: with three points shown it "
      + "can go through all of them, whatever they are.",
    names: ["contention", "coherency"],
    h: (q) => (N) => 1 / N + q.contention * (1 - 1 / N) + q.coherency * (N - 1),
  },
  step: {
    name: "per step",
    title: "Amdahl’s law of the step",
    formula: "<i>T</i> ∝ 1 / <i>N</i> + <i>h</i> / <i>B</i>",
    story: "Knows the batch <i>B</i>, too: a step has a part that takes as long as <i>h</i> samples "
      + "of one worker and is never divided.",
    names: ["half_batch"],
    h: (q) => (N, B) => 1 / N + q.half_batch / B,
  },
};

const SETTINGS = ["serial_fraction", "contention", "coherency", "half_batch"];
const RANGES = {
  serial_fraction: [1e-7, 1], contention: [1e-7, 1], coherency: [1e-11, 0.01],
  half_batch: [1e-3, 1e6],
};
const TABLES = Object.fromEntries(Object.entries(RANGES).map(([name, [low, high]]) =>
  [name, decades(low, high, { zero: true })]));
const NAMES = ["cases", "case", "law", "uncovered", ...SETTINGS];

const logs = (values) => values.map(Math.log);
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

// Minimise over a logarithmic range, its lower end standing for 0.
function least(cost, [low, high]) {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [a, b] = [Math.log(low), Math.log(high)];
  for (let k = 0; k < 70; k += 1) {
    const [left, right] = [b - ratio * (b - a), a + ratio * (b - a)];
    if (cost(Math.exp(left)) < cost(Math.exp(right))) b = right;
    else a = left;
  }
  const at = Math.exp((a + b) / 2);
  return cost(0) <= cost(at) ? 0 : at;
}

const guessing = {
  // A batch between two known ones, straight on log-log paper; beyond them as many for each worker.
  batchAt(item, N) {
    const { workers, batches } = item;
    if (!batches.length) return Infinity;
    let k = 1;
    while (k < workers.length - 1 && workers[k] < N) k += 1;
    const share = clamp(Math.log(N / workers[k - 1]) / Math.log(workers[k] / workers[k - 1]), 0, 1);
    return batches[k - 1] * (batches[k] / batches[k - 1]) ** share;
  },

  // The law at settings q through the points shown: its factor in front is the best one for them.
  through(item, law, q) {
    const h = RIVALS[law].h(q);
    const shown = item.workers.slice(0, -1);
    const rest = logs(item.speedups.slice(0, -1)).map((S, k) =>
      S + Math.log(h(shown[k], item.batches[k] ?? Infinity)));
    const factor = mean(rest);
    const at = (N, B) => Math.exp(factor) / h(N, B ?? guessing.batchAt(item, N));
    const [last] = item.workers.slice(-1);
    return {
      at,
      misfit: Math.sqrt(mean(rest.map((r) => (r - factor) ** 2))),
      guess: at(last, item.batches.slice(-1)[0]),
    };
  },

  misfit: (item, law, q) => guessing.through(item, law, q).misfit,
  guess: (item, law, q) => guessing.through(item, law, q).guess,

  // The settings with the smallest misfit.
  best(item, law) {
    const [first, second] = RIVALS[law].names;
    const inner = (other) => least((value) =>
      guessing.misfit(item, law, { [first]: value, ...other }), RANGES[first]);
    if (!second) return { [first]: inner({}) };
    const kappa = least((value) => guessing.misfit(item, law,
      { [first]: inner({ [second]: value }), [second]: value }), RANGES[second]);
    return { [first]: inner({ [second]: kappa }), [second]: kappa };
  },

  // The first setting with which the law guesses S, the others as they are: guesses fall with it.
  bend(item, law, q, S) {
    const [name] = RIVALS[law].names;
    let [low, high] = logs(RANGES[name]);
    for (let k = 0; k < 60; k += 1) {
      const middle = (low + high) / 2;
      if (guessing.guess(item, law, { ...q, [name]: Math.exp(middle) }) > S) low = middle;
      else high = middle;
    }
    return { [name]: Math.exp((low + high) / 2) };
  },
};

function read(model) {
  const q = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
  const item = model.get("cases").find((each) => each.key === model.get("case"));
  const key = model.get("law");
  const [N, S] = [item.workers.slice(-1)[0], item.speedups.slice(-1)[0]];
  const now = guessing.through(item, key, q);
  return { ...now, q, item, key, law: RIVALS[key], N, S, first: item.workers[0],
    uncovered: model.get("uncovered"), error: now.guess / S - 1 };
}

const tiny = (value) => (value && value < 1e-3 ? value.toExponential(1).replace("-", "−") : number(value));
const signed = (value) => `${value < 0 ? "−" : "+"}${percent(Math.abs(value), 2)}`;

function sentence({ law, item, N, S, first, guess, misfit, uncovered, error }) {
  const told = `${item.key === "own" ? "Our own run" : item.key}, ${item.title}. ${law.title} misses `
    + `the points shown by ${percent(misfit, 2)} and guesses a speedup of ${number(guess)} on `
    + `${number(N)} ${item.unit}, over ${number(first)}.`;
  return uncovered ? `${told} The run gave ${number(S)}: the guess is ${signed(error)} off.` : told;
}
