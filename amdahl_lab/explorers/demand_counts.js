// What the demand explorer counts: FLOPs and bytes of a transformer. The same as amdahl_lab.demand;
// tests/browser/test_demand_explorer.py holds the two together on a grid.

const HEAD_FEATURES = 64;

const counts = {
  parameters: (L, h, v, s) => 12 * L * h * h * (1 + 13 / (12 * h) + (v + s) / (12 * L * h)),
  // FLOPs of one token, forward and backward, by what they are spent on.
  projections: (L, h) => 24 * L * h * h,
  perceptron: (L, h) => 48 * L * h * h,
  attentionCore: (L, h, s) => 12 * L * s * h,
  head: (h, v) => 6 * h * v,
  modelFlops: (L, h, s, v) => counts.projections(L, h) + counts.perceptron(L, h)
    + counts.attentionCore(L, h, s) + counts.head(h, v),
  attentionCrossover: (L, h, v) => 6 * h + v / (2 * L),
  // Bytes that one token keeps for the backward pass in 16-bit training, scores kept.
  keptLinear: (L, h) => 34 * L * h,
  keptScores: (L, h, s) => 5 * L * s * Math.max(Math.floor(h / HEAD_FEATURES), 1),
  scoresCrossover: (h) => (34 * h) / (5 * Math.max(Math.floor(h / HEAD_FEATURES), 1)),
  stateBytes: (P) => 16 * P,
  thumbError: (L, h, s, v) => (6 * counts.parameters(L, h, v, s)) / counts.modelFlops(L, h, s, v) - 1,
};

const SEQUENCES = decadesOfTwo(64, 2 ** 20);
const WIDTHS = decadesOfTwo(128, 16384);
const DEPTHS = wholeNumbers(128);
const TOKENS = decadesOfTwo(1024, 2 ** 22);
const NAMES = ["measure", "hidden", "layers", "sequence", "tokens", "vocabulary"];
const UNITS = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]];

// Powers of two with the halves between them, so that every width is a whole number of heads.
function decadesOfTwo(low, high) {
  const values = [];
  for (let n = low; n < high; n *= 2) values.push(n, 1.5 * n);
  return [...values, high];
}

function scaled(value, unit) {
  const [size, prefix] = UNITS.find(([each]) => value >= each) ?? [1, ""];
  return `${number(value / size)} ${prefix}${unit}`;
}

const signed = (share) => `${share < 0 ? "−" : "+"}${percent(Math.abs(share), 2)}`;

// Everything that the picture says, as numbers, from the model alone.
function read(model) {
  const [L, h, s, v] = ["layers", "hidden", "sequence", "vocabulary"].map((name) => model.get(name));
  const [P, t] = [counts.parameters(L, h, v, s), model.get("tokens")];
  const flops = {
    projections: counts.projections(L, h), perceptron: counts.perceptron(L, h),
    "attention core": counts.attentionCore(L, h, s), head: counts.head(h, v),
  };
  const total = counts.modelFlops(L, h, s, v);
  const bytes = model.get("measure") === "bytes";
  return {
    L, h, s, v, P, t, flops, total, bytes,
    thumb: counts.thumbError(L, h, s, v),
    share: flops["attention core"] / total,
    kept: counts.keptLinear(L, h) + counts.keptScores(L, h, s),
    keptShare: counts.keptScores(L, h, s) / (counts.keptLinear(L, h) + counts.keptScores(L, h, s)),
    state: counts.stateBytes(P),
    halfFlops: counts.attentionCrossover(L, h, v),
    halfBytes: counts.scoresCrossover(h),
    rising: bytes ? (n) => counts.keptScores(L, h, n) : (n) => counts.attentionCore(L, h, n),
    flat: bytes ? counts.keptLinear(L, h) : total - flops["attention core"],
    half: bytes ? counts.scoresCrossover(h) : counts.attentionCrossover(L, h, v),
    unit: bytes ? "B" : "FLOP",
  };
}

function sentence(now) {
  return `${number(now.L)} layers of width ${number(now.h)}, sequences of ${number(now.s)}: `
    + `${scaled(now.P, "").trim()} parameters, ${scaled(now.total, "FLOP")} a token, of which attention’s `
    + `scores take ${percent(now.share, 2)}; half at ${number(now.halfFlops)} positions. `
    + `Of the kept activations they take ${percent(now.keptShare, 2)}; half at `
    + `${number(now.halfBytes)} positions.`;
}
