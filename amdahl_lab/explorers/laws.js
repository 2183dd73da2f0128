// Closed-form laws for the explorers, the same as amdahl_lab.laws and under the same names;
// tests/browser/test_explorer_formulas.py holds the two together on a grid. Not a module of its own:
// static.py sets it before each explorer, after toolkit.js.

const formulas = {
  amdahlSpeedup: (N, s) => 1 / (s + (1 - s) / N),
  amdahlLimit: (s) => 1 / s,
  karpFlatt: (S, N) => (1 / S - 1 / N) / (1 - 1 / N),
  gustafsonSpeedup: (N, s) => N + (1 - N) * s,
  gustafsonSerialFraction: (S, N) => (N - S) / (N - 1),
  sunNiSpeedup: (N, s, G) => (s + (1 - s) * G) / (s + ((1 - s) * G) / N),
  sunNiSerialFraction(S, N, G) {
    const ratio = (G * (1 - S / N)) / (S - 1); // s / p
    return ratio / (1 + ratio);
  },
  uslSpeedup: (N, sigma, kappa) => 1 / (1 / N + sigma * (1 - 1 / N) + kappa * (N - 1)),
  uslPeak: (sigma, kappa) =>
    sigma === 1 ? 1 : Math.max(1, Math.sqrt((1 - sigma) / kappa)),
  uslContention: (S, N, kappa) => (N / S - 1) / (N - 1) - kappa * N,

  // The first N, not rounded, at which S / N has fallen to `floor`; Infinity if it never does.
  workersForEfficiency(law, floor) {
    for (let low = 1; low < 2 ** 40; low *= 2) {
      if (law(2 * low) / (2 * low) > floor) continue;
      let [above, below] = [low, 2 * low];
      for (let k = 0; k < 60; k += 1) {
        const middle = (above + below) / 2;
        if (law(middle) / middle > floor) above = middle;
        else below = middle;
      }
      return below;
    }
    return Infinity;
  },
};
