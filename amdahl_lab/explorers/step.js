// What a step waits for: the picture. What it says is in step_model.js.

const EDGES = { left: 44, right: 16, top: 12, bottom: 42 };
const REACH = 1024;
const KINDS = [["work", "ax-compute"], ["waiting", "ax-waiting"], ["communication", "ax-communication"]];

// The chart: the parts of a step, stacked, over the number of workers, with a handle to drag.
function partsChart(model) {
  const view = chart("ax-chart");
  const fills = { work: "var(--ax-compute)", waiting: "var(--ax-waiting)",
    communication: "var(--ax-communication)" };
  const areas = KINDS.map(([kind]) =>
    view.lines.appendChild(svg("path", { class: "ax-part", style: `fill: ${fills[kind]}` })));
  const top = view.lines.appendChild(svg("path", { class: "ax-line", style: "stroke: var(--ax-ink)" }));
  const drop = view.lines.appendChild(svg("path", { class: "ax-line ax-drop" }));
  const value = svg("text", { class: "ax-here" });
  const handle = svg("g", {}, svg("circle", { class: "ax-touch", r: 22 }),
    svg("circle", { class: "ax-handle", r: 8 }));
  view.marks.append(value, handle);
  const key = html("ul", { class: "ax-key ax-key-row", "aria-hidden": "true" },
    ...KINDS.map(([kind, name]) => html("li", {}, html("i", { class: name }), kind)));
  const places = wholeNumbers(REACH);
  let x = null;
  draggable(handle, view.picture, (px) =>
    model.set("workers", places[nearest(places, clamp(x.value(px), 1, REACH))]));

  return {
    picture: view.picture,
    key,
    paint({ q, N, total }) {
      const width = view.picture.parentElement.clientWidth;
      const height = Math.min(360, 0.7 * width + 60);
      const [right, foot] = [width - EDGES.right, height - EDGES.bottom];
      view.resize(width, height, EDGES);
      x = logScale([1, REACH], [EDGES.left, right]);
      const columns = places.filter((n) => n < 16 || n % 4 === 0)
        .map((n) => [n, formulas.stepParts(q, n)]);
      const high = Math.max(...columns.map(([, p]) => p.work + p.waiting + p.communication)) * 1.08;
      const unit = high >= 1 ? [1, "s"] : high >= 1e-3 ? [1e-3, "ms"] : [1e-6, "µs"];
      const y = linearScale([0, high], [foot, EDGES.top]);
      view.axes.replaceChildren();
      const step = niceStep(high / unit[0]);
      const levels = Array.from({ length: Math.floor(high / unit[0] / step) + 1 }, (_, k) => k * step);
      ticks(view.axes, "y", y, levels.map((v) => [v * unit[0], number(v)]), [EDGES.left, right]);
      ticks(view.axes, "x", x, powersOfTwo(REACH).map((v) =>
        [v, Math.log2(v) % 2 === 0 ? number(v) : ""]), [foot, EDGES.top]);
      view.axes.append(
        svg("text", { class: "ax-title", x: (EDGES.left + right) / 2, y: foot + 35,
          "text-anchor": "middle" }, "workers N"),
        svg("text", { class: "ax-title", "text-anchor": "middle",
          transform: `translate(11 ${foot / 2}) rotate(-90)` }, `time of a step (${unit[1]})`));
      let under = columns.map(() => 0);
      KINDS.forEach(([kind], i) => {
        const over = columns.map(([, parts], k) => under[k] + parts[kind]);
        const point = (k, level) => `${x.at(columns[k][0]).toFixed(1)} ${y.at(level).toFixed(1)}`;
        const there = over.map((level, k) => point(k, level));
        const back = under.map((level, k) => point(k, level)).reverse();
        set(areas[i], { d: `M${[...there, ...back].join("L")}Z` });
        if (kind === "communication") set(top, { d: `M${there.join("L")}` });
        under = over;
      });
      const [px, py] = [x.at(N), y.at(total)];
      set(drop, { d: `M${px} ${py}V${foot}` });
      set(handle, { transform: `translate(${px} ${py})` });
      const late = px > right - 90;
      set(value, { x: late ? px - 12 : px + 13, y: Math.max(py - 10, 14),
        "text-anchor": late ? "end" : "start" });
      write(value, time(total));
    },
  };
}

// A round distance between grid lines, five of them or so.
function niceStep(high) {
  const power = 10 ** Math.floor(Math.log10(high / 5));
  return [1, 2, 5, 10].map((k) => k * power).find((width) => high / width <= 6);
}

// One bar: which part of this step is what.
function partsBar() {
  const bar = html("div", { class: "ax-bar" });
  const words = html("ul", { class: "ax-bar-key" });
  const rows = KINDS.map(([kind, name]) => {
    const piece = bar.appendChild(html("span", { class: name }));
    const text = html("span");
    words.append(html("li", {}, html("i", { class: name }), text));
    return [kind, piece, text];
  });
  return {
    parts: [bar, words],
    paint({ parts, total }) {
      for (const [kind, piece, text] of rows) {
        piece.style.flexGrow = parts[kind] / total;
        write(text, `${kind} ${percent(parts[kind] / total, 2)}`);
      }
    },
  };
}

function render({ model, el }) {
  const first = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
  const over = (name, label, values, say) => slider({ label, say, values: () => values,
    get: () => model.get(name), put: (value) => model.set(name, value) });
  const machine = choices({ legend: "Start from", get: () => model.get("machine"),
    options: Object.entries(MACHINES).map(([value, { name }]) => [value, name]),
    put(value) {
      const { name, ...settings } = MACHINES[value];
      model.set("machine", value);
      for (const [setting, amount] of Object.entries(settings)) model.set(setting, amount);
    } });
  const overlap = choices({ legend: "Gradients are sent", quiet: true,
    options: [[false, "after the backward pass"], [true, "during it"]],
    get: () => model.get("overlap"), put: (value) => model.set("overlap", value) });
  const sliders = [
    over("workers", "workers <i>N</i>", wholeNumbers(REACH), workersText),
    over("batch", "samples per worker <i>b</i>", BATCHES, (v) => number(v)),
    over("parameters", "parameters <i>P</i>", SIZES, (v) => `${number(v)} million`),
    over("peak", "arithmetic", PEAKS, (v) => `${number(v)} TFLOP/s`),
    over("memory", "memory bandwidth", MEMORIES, (v) => `${number(v)} GB/s`),
    over("latency", "network latency <i>α</i>", LATENCIES, (v) => `${number(v)} µs`),
    over("bandwidth", "network bandwidth 1/<i>β</i>", BANDWIDTHS, (v) => `${number(v)} GB/s`),
    over("jitter", "jitter of every worker", SHARES, (v) => percent(v, 2)),
    over("straggler", "one worker slower by", SHARES, (v) => percent(v, 2)),
  ];
  const reset = html("button", { type: "button", class: "ax-reset" }, "Reset");
  reset.addEventListener("click", () => {
    for (const [name, value] of Object.entries(first)) model.set(name, value);
  });
  const [plot, bar] = [partsChart(model), partsBar()];
  const big = html("strong", { class: "ax-big" });
  const [barTitle, facts] = [html("p", { class: "ax-head" }), html("dl", { class: "ax-facts" })];
  const remedy = new Map(["twice the arithmetic", "twice the memory bandwidth", "half the latency",
    "twice the network bandwidth", "equal, steady workers", "sending during the backward pass"]
    .map((words) => [words, readout(facts, words)]));
  const live = html("p", { class: "ax-live", role: "status", "aria-live": "polite" });
  const body = html("div", { class: "ax-body" },
    html("div", { class: "ax-top" }, machine.row),
    html("div", { class: "ax-main" }, html("div", { class: "ax-plot" }, plot.picture), plot.key),
    html("div", { class: "ax-controls" }, ...sliders.map(({ row }) => row),
      html("div", { class: "ax-last" }, overlap.row, reset)),
    html("div", { class: "ax-side" },
      html("div", {}, html("p", { class: "ax-soft" }, "samples per second, against one worker "), big),
      html("div", {}, barTitle, ...bar.parts),
      html("div", {}, html("p", { class: "ax-head" }, "One change would take off the step"), facts)),
    html("div", { class: "ax-foot" }, live));
  const root = html("section", { class: "ax", "aria-label": "Explorer: what a step waits for" }, body);

  function paint() {
    const now = read(model);
    for (const control of [machine, overlap, ...sliders]) control.paint();
    plot.paint(now);
    bar.paint(now);
    write(big, `${number(now.throughput)}×`);
    write(barTitle, `A step of ${time(now.total)} on ${workersText(now.N)}`);
    const found = new Map(now.remedies);
    for (const [words, say] of remedy) {
      say(found.has(words) ? percent(Math.max(0, found.get(words)), 2) : "done");
    }
  }

  function say() {
    const text = sentence(read(model));
    set(plot.picture, { "aria-label": "Parts of a step, stacked, against workers from 1 to "
      + `${number(REACH)}. ${text}` });
    return text;
  }

  return present({ model, el, root, names: NAMES, paint, say, live });
}

export default { render, formulas };
