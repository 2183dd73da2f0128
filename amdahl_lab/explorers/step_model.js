// What the step explorer knows: where the time of one data-parallel step goes, and what would help.
// step.js draws it. The same sums as StepExplorer in step.py; tests/browser holds the two together.

const FLOPS = 6; // of each parameter for each sample: 2 forward, 4 backward
const TOUCHED = 20; // bytes of memory traffic for each parameter in a step, whatever the batch
const GRADIENT = 4; // bytes for each parameter that the workers add up
const BACKWARD = 2 / 3; // share of the work behind which an exchange can hide

Object.assign(formulas, {
  // The mean of the largest of N standard normal values: the integral of 1 - F^N above 0 less that
  // of F^N below, by Simpson's rule.
  expectedMaximum(N) {
    if (N === 1) return 0;
    const [steps, high] = [240, 8];
    const at = (x) => {
      const tail = upperTail(x);
      return 1 - (1 - tail) ** N - tail ** N;
    };
    let sum = at(0) + at(high);
    for (let k = 1; k < steps; k += 1) sum += (k % 2 ? 4 : 2) * at((k * high) / steps);
    return (sum * high) / steps / 3;
  },

  // Seconds of each part of a step at the settings q on N workers.
  stepParts(q, N) {
    const P = q.parameters * 1e6;
    const compute = (FLOPS * P * q.batch) / (q.peak * 1e12);
    const memory = (TOUCHED * P) / (q.memory * 1e9);
    const work = Math.max(compute, memory);
    const waiting = N === 1 ? 0
      : work * Math.max(q.straggler, q.jitter * formulas.expectedMaximum(N));
    const exchange = 2 * (N - 1) * q.latency * 1e-6
      + (2 * (N - 1) / N) * GRADIENT * P / (q.bandwidth * 1e9);
    const hidden = q.overlap ? Math.min(exchange, BACKWARD * work) : 0;
    return { compute, memory, work, waiting, exchange, communication: exchange - hidden };
  },
  stepSeconds(q, N) {
    const { work, waiting, communication } = formulas.stepParts(q, N);
    return work + waiting + communication;
  },
});

// The chance that a standard normal value exceeds x >= 0: a continued fraction far out, a series near.
function upperTail(x) {
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (x > 3) {
    let fraction = x;
    for (let k = 30; k > 0; k -= 1) fraction = x + k / fraction;
    return density / fraction;
  }
  let [term, sum] = [x, x];
  for (let k = 1; k < 60; k += 1) {
    term *= (x * x) / (2 * k + 1);
    sum += term;
  }
  return 0.5 - density * sum;
}

// Machines to start from: peak (TFLOP/s), memory (GB/s), latency (microseconds), bandwidth (GB/s).
const MACHINES = {
  cluster: { name: "GPU cluster", peak: 400, memory: 2000, latency: 10, bandwidth: 50 },
  office: { name: "office network", peak: 10, memory: 300, latency: 50, bandwidth: 0.1 },
  laptop: { name: "two cores", peak: 0.1, memory: 20, latency: 200, bandwidth: 1 },
};

const BATCHES = decades(1, 1e6, { step: 1 });
const SIZES = decades(0.1, 10000, { step: 0.5 });
const PEAKS = decades(0.1, 1000, { step: 0.5 });
const MEMORIES = decades(10, 10000, { step: 0.5 });
const LATENCIES = decades(1, 1000, { step: 0.5 });
const BANDWIDTHS = decades(0.1, 1000, { step: 0.5 });
const SHARES = Array.from({ length: 51 }, (_, k) => k / 100);
const SETTINGS = ["batch", "parameters", "peak", "memory", "latency", "bandwidth", "jitter",
  "straggler", "overlap"];
const NAMES = ["machine", "workers", ...SETTINGS];
const workersText = (n) => `${number(n)} ${n === 1 ? "worker" : "workers"}`;

function time(seconds) {
  if (seconds >= 1) return `${number(seconds)} s`;
  return seconds >= 1e-3 ? `${number(1e3 * seconds)} ms` : `${number(1e6 * seconds)} µs`;
}

// What one change would take off the step, largest first: [words, share of the step].
function remedies(q, N) {
  const now = formulas.stepSeconds(q, N);
  const with_ = (change) => 1 - formulas.stepSeconds({ ...q, ...change }, N) / now;
  return [
    ["twice the arithmetic", with_({ peak: 2 * q.peak })],
    ["twice the memory bandwidth", with_({ memory: 2 * q.memory })],
    ["half the latency", with_({ latency: q.latency / 2 })],
    ["twice the network bandwidth", with_({ bandwidth: 2 * q.bandwidth })],
    ["equal, steady workers", with_({ straggler: 0, jitter: 0 })],
    q.overlap ? null : ["sending during the backward pass", with_({ overlap: true })],
  ].filter(Boolean);
}

// Everything that the picture says, as numbers, from the model alone.
function read(model) {
  const q = Object.fromEntries(SETTINGS.map((name) => [name, model.get(name)]));
  const N = model.get("workers");
  const parts = formulas.stepParts(q, N);
  const total = formulas.stepSeconds(q, N);
  const throughput = (N * formulas.stepSeconds(q, 1)) / total;
  return { q, N, parts, total, throughput, remedies: remedies(q, N) };
}

function sentence({ q, N, parts, total, throughput, remedies: list }) {
  const [best, share] = list.reduce((a, b) => (b[1] > a[1] ? b : a));
  const bound = parts.compute >= parts.memory ? "arithmetic" : "memory";
  return `On ${workersText(N)} a step takes ${time(total)}: work ${percent(parts.work / total, 2)} `
    + `(set by ${bound}), waiting ${percent(parts.waiting / total, 2)}, communication `
    + `${percent(parts.communication / total, 2)}. ${workersText(N)} get through `
    + `${number(throughput)} times the samples of one. What would help most: ${best}, `
    + `${percent(Math.max(0, share), 2)} off the step. Twice the network bandwidth takes off `
    + `${percent(Math.max(0, list[3][1]), 2)}.`;
}
