// The futures that measurements at few workers leave open. The same sums as FanExplorer in fan.py;
// tests/browser holds the two together.

const REACH = 1024;
const EDGES = { left: 44, right: 16, top: 12, bottom: 42 };
const NAMES = ["workers", "speedup", "precision", "second", "second_speedup", "second_precision", "future"];

Object.assign(formulas, {
  // The smallest and the largest serial fraction that fit [N, low, high] of every measurement.
  fanFractions(measured) {
    let [least, most] = [0, 1];
    for (const [N, low, high] of measured) {
      least = Math.max(least, formulas.karpFlatt(high, N));
      most = Math.min(most, formulas.karpFlatt(low, N));
    }
    return least <= most ? [least, most] : null;
  },
  fanFutures(measured, future) {
    const s = formulas.fanFractions(measured);
    return s && [formulas.amdahlSpeedup(future, s[1]), formulas.amdahlSpeedup(future, s[0])];
  },
});

const workersText = (n) => `${number(n)} ${n === 1 ? "worker" : "workers"}`;

function read(model) {
  const q = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
  const one = (N, speedup, p) => {
    const S = Math.min(speedup, N);
    return { N, S, low: S * (1 - p / 100), high: S * (1 + p / 100) };
  };
  const measured = [one(q.workers, q.speedup, q.precision)];
  if (q.second > 1) measured.push(one(q.second, q.second_speedup, q.second_precision));
  const rows = measured.map(({ N, low, high }) => [N, low, high]);
  return { q, measured, s: formulas.fanFractions(rows), far: formulas.fanFutures(rows, q.future) };
}

function sentence({ q, measured, s, far }) {
  const seen = measured.map(({ N, low, high }) =>
    `${number(low)} to ${number(high)} times on ${workersText(N)}`).join(" and ");
  if (!s) return `Measured: ${seen}. No serial fraction fits both: something grows with the workers.`;
  return `Measured: ${seen}. Every serial fraction from ${percent(s[0])} to ${percent(s[1])} fits, so on `
    + `${workersText(q.future)} the speedup may be anything from ${number(far[0])} to ${number(far[1])}.`;
}

// The chart: the fan, its edges, the measurements, and a bar to drag at the number of workers ahead.
function fanChart(model) {
  const view = chart("ax-chart");
  const fan = view.lines.appendChild(svg("path", { class: "ax-part",
    style: "fill: var(--ax-compute); opacity: 0.22" }));
  const line = (name) => view.lines.appendChild(svg("path", { class: `ax-line ${name}` }));
  const [ideal, best, worst, ahead] = ["ax-ideal", "ax-gain", "ax-gain", "ax-drop"].map(line);
  const span = view.marks.appendChild(svg("path", { class: "ax-line ax-limit" }));
  const marks = [measuredMark(), measuredMark()];
  const words = [0, 1].map(() => svg("text", { class: "ax-here" }));
  const handle = svg("g", {}, svg("circle", { class: "ax-touch", r: 22 }),
    svg("circle", { class: "ax-handle", r: 8 }));
  view.marks.append(...marks.map(({ mark }) => mark), ...words, handle);
  const places = wholeNumbers(REACH).filter((n) => n >= 8);
  let x = null;
  draggable(handle, view.picture, (px) =>
    model.set("future", places[nearest(places, clamp(x.value(px), 8, REACH))]));
  return {
    picture: view.picture,
    paint({ q, measured, s, far }) {
      const width = view.picture.parentElement.clientWidth;
      const height = Math.min(400, 0.8 * width + 40);
      const [right, foot] = [width - EDGES.right, height - EDGES.bottom];
      view.resize(width, height, EDGES);
      x = logScale([1, REACH], [EDGES.left, right]);
      const y = logScale([1, REACH], [foot, EDGES.top]);
      view.axes.replaceChildren();
      const grid = powersOfTwo(REACH).map((v) => [v, Math.log2(v) % 2 === 0 ? number(v) : ""]);
      ticks(view.axes, "y", y, grid, [EDGES.left, right]);
      ticks(view.axes, "x", x, grid, [foot, EDGES.top]);
      view.axes.append(
        svg("text", { class: "ax-title", x: (EDGES.left + right) / 2, y: foot + 35,
          "text-anchor": "middle" }, "workers N"),
        svg("text", { class: "ax-title", "text-anchor": "middle",
          transform: `translate(11 ${foot / 2}) rotate(-90)` }, "speedup S"));
      set(ideal, { d: curve((N) => N, [1, REACH], x, y) });
      const edges = s && s.map((each) => (N) => formulas.amdahlSpeedup(N, each));
      const up = s ? curve(edges[0], [1, REACH], x, y) : "";
      const down = s ? curve(edges[1], [1, REACH], x, y) : "";
      set(best, { d: up });
      set(worst, { d: down });
      set(fan, { d: s ? `${up}L${down.slice(1).split("L").reverse().join("L")}Z` : "" });
      marks.forEach(({ mark, place }, k) => {
        mark.style.display = measured[k] ? "" : "none";
        if (!measured[k]) return;
        const { N, S, low, high } = measured[k];
        place(x.at(N), y.at(S), y.at(Math.max(low, 1)), y.at(high));
      });
      const px = x.at(q.future);
      set(ahead, { d: `M${px} ${EDGES.top}V${foot}` });
      set(span, { d: far ? `M${px} ${y.at(far[0])}V${y.at(far[1])}` : "" });
      words.forEach((text, k) => {
        const late = px > right - 60;
        set(text, { x: late ? px - 10 : px + 10, y: far ? y.at(far[k]) + (k ? -6 : 16) : foot,
          "text-anchor": late ? "end" : "start" });
        write(text, far ? number(far[k]) : "");
      });
      set(handle, { transform: `translate(${px} ${foot})` });
    },
  };
}

function render({ model, el }) {
  const first = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
  const put = (name) => (value) => model.set(name, value);
  const over = (name, label, values, say) => slider({ label, say, values,
    get: () => (name.endsWith("speedup") ? Math.min(model.get(name), values().at(-1)) : model.get(name)),
    put: put(name) });
  // Speedups from 1 to N, so fine that a step is a few hundredths.
  const upTo = (N) => Array.from({ length: 20 * (Math.min(N, 16) - 1) + 1 }, (_, k) =>
    Number((1 + (k * (N - 1)) / (20 * (Math.min(N, 16) - 1))).toPrecision(4)));
  const precisions = [0.5, 1, 1.5, 2, 3, 4, 5, 7, 10, 14.3, 20, 30];
  const times = (v) => `${number(v)} times`;
  const within = (v) => `±${number(v)}%`;
  const few = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64];
  const seconds = [0, 8, 16, 32, 64].map((n) => [n, n ? `at ${n}` : "none"]);
  const extra = choices({ legend: "A second measurement", options: seconds,
    get: () => model.get("second"),
    put(N) {
      model.set("second", N);
      // It starts where the first one, taken at its word, would put it.
      const word = formulas.karpFlatt(Math.min(model.get("speedup"), model.get("workers")), model.get("workers"));
      const S = formulas.amdahlSpeedup(Math.max(N, 2), clamp(word, 0, 1));
      if (N) model.set("second_speedup", Number(S.toPrecision(4)));
    } });
  const sliders = [
    over("workers", "measured on <i>N</i>", () => few, workersText),
    over("speedup", "speedup <i>S</i>", () => upTo(model.get("workers")), times),
    over("precision", "half its interval", () => precisions, within),
    over("future", "look ahead to", () => wholeNumbers(REACH).filter((n) => n >= 8), workersText),
    over("second_speedup", "second speedup", () => upTo(Math.max(2, model.get("second"))), times),
    over("second_precision", "half its interval", () => precisions, within),
  ];
  const reset = html("button", { type: "button", class: "ax-reset" }, "Reset");
  reset.addEventListener("click", () => {
    for (const [name, value] of Object.entries(first)) model.set(name, value);
  });
  const plot = fanChart(model);
  const big = html("strong", { class: "ax-big" });
  const list = html("dl", { class: "ax-facts" });
  const facts = { s: readout(list, "serial fractions that fit"), far: readout(list, "speedups that fit"),
    price: readout(list, "price of a result, best to worst", "workers over speedup: one worker's price is 1") };
  const live = html("p", { class: "ax-live", role: "status", "aria-live": "polite" });
  const root = html("section", { class: "ax", "aria-label": "Explorer: the fan of futures" },
    html("div", { class: "ax-body" },
      html("div", { class: "ax-top" }, extra.row),
      html("div", { class: "ax-main" }, html("div", { class: "ax-plot" }, plot.picture)),
      html("div", { class: "ax-controls" }, ...sliders.map(({ row }) => row),
        html("div", { class: "ax-last" }, reset)),
      html("div", { class: "ax-side" },
        html("div", {}, html("p", { class: "ax-soft" }, "most over least speedup, looking ahead "), big),
        html("div", {}, list)),
      html("div", { class: "ax-foot" }, live)));

  function paint() {
    const now = read(model);
    extra.paint();
    sliders.forEach(({ row, paint: repaint }, k) => {
      row.hidden = k > 3 && now.q.second < 2;
      if (!row.hidden) repaint();
    });
    plot.paint(now);
    const { s, far } = now;
    write(big, s ? `${number(far[1] / far[0])}×` : "none fits");
    facts.s(s ? `${percent(s[0], 2)} to ${percent(s[1], 2)}` : "none");
    facts.far(s ? `${number(far[0])} to ${number(far[1])}` : "none");
    facts.price(s ? `${number(now.q.future / far[1])} to ${number(now.q.future / far[0])}` : "none");
  }

  function say() {
    const text = sentence(read(model));
    set(plot.picture, { "aria-label": `Speedups against workers from 1 to ${number(REACH)}, between the best `
      + `and the worst that fit. ${text}` });
    return text;
  }

  return present({ model, el, root, names: NAMES, paint, say, live });
}

export default { render, formulas };
