// A chip's area, spent on many small cores or on a large one: the picture. What it says is in
// chip_model.js.

const EDGES = { left: 44, right: 16, top: 14, bottom: 42 };

// The chart: speedup of the three designs over the units of a core, with a handle on the chosen one.
function designChart(model) {
  const view = chart("ax-chart");
  const styles = { symmetric: "ax-law", asymmetric: "ax-second", dynamic: "ax-third" };
  const lines = DESIGNS.map(([design]) => [design,
    view.lines.appendChild(svg("path", { class: `ax-line ${styles[design]}` }))]);
  const best = svg("path", { class: "ax-line ax-peak" });
  const drop = svg("path", { class: "ax-line ax-drop" });
  const value = svg("text", { class: "ax-here" });
  const handle = svg("g", {}, svg("circle", { class: "ax-touch", r: 22 }),
    svg("circle", { class: "ax-handle", r: 8 }));
  view.lines.append(best, drop);
  view.marks.append(value, handle);
  let x = null;
  draggable(handle, view.picture, (px) =>
    model.set("core", Number(clamp(x.value(px), 1, model.get("chip")).toPrecision(3))));
  return {
    picture: view.picture,
    paint({ design, n, s, r, speedup, best: at, top }) {
      const width = view.picture.parentElement.clientWidth;
      const height = Math.min(360, 0.7 * width + 60);
      const [right, foot] = [width - EDGES.right, height - EDGES.bottom];
      view.resize(width, height, EDGES);
      x = logScale([1, n], [EDGES.left, right]);
      const highest = Math.max(...DESIGNS.map(([each]) =>
        formulas.chipSpeedup(each, s, n, formulas.bestCore(each, s, n))));
      const y = linearScale([0, 1.1 * highest], [foot, EDGES.top]);
      view.axes.replaceChildren();
      const power = 10 ** Math.floor(Math.log10(highest / 4));
      const step = [1, 2, 5, 10].map((k) => k * power).find((wide) => highest / wide <= 5.5);
      const levels = Array.from({ length: Math.floor((1.1 * highest) / step) + 1 }, (_, k) => k * step);
      ticks(view.axes, "y", y, levels.map((v) => [v, number(v)]), [EDGES.left, right]);
      ticks(view.axes, "x", x, powersOfTwo(n).map((v) =>
        [v, n <= 64 || Math.log2(v) % 2 === 0 ? number(v) : ""]), [foot, EDGES.top]);
      view.axes.append(
        svg("text", { class: "ax-title", x: (EDGES.left + right) / 2, y: foot + 35,
          "text-anchor": "middle" }, "units of a large core r"),
        svg("text", { class: "ax-title", "text-anchor": "middle",
          transform: `translate(11 ${foot / 2}) rotate(-90)` }, "speedup over one small core"));
      for (const [each, line] of lines) {
        set(line, { d: curve((units) => formulas.chipSpeedup(each, s, n, units), [1, n], x, y),
          style: each === design ? "stroke-width: 3" : "stroke-width: 1.5; stroke-dasharray: 5 4" });
      }
      const [px, py] = [x.at(r), y.at(speedup)];
      set(best, { d: `M${x.at(at)} ${y.at(top)}V${foot}` });
      set(drop, { d: `M${px} ${py}V${foot}` });
      set(handle, { transform: `translate(${px} ${py})` });
      const late = px > right - 70;
      set(value, { x: late ? px - 12 : px + 13, y: Math.max(py - 12, 14),
        "text-anchor": late ? "end" : "start" });
      write(value, `${number(speedup)}×`);
    },
  };
}

// One bar: which part of the time is serial.
function timeBar() {
  const bar = html("div", { class: "ax-bar" });
  const words = html("ul", { class: "ax-bar-key" });
  const rows = [["serial", "ax-serial"], ["parallel", "ax-compute"]].map(([kind, name]) => {
    const piece = bar.appendChild(html("span", { class: name }));
    const text = html("span");
    words.append(html("li", {}, html("i", { class: name }), text));
    return [kind, piece, text];
  });
  return {
    parts: [bar, words],
    paint(times) {
      const total = times.serial + times.parallel;
      for (const [kind, piece, text] of rows) {
        piece.style.flexGrow = times[kind] / total;
        write(text, `${kind} ${percent(times[kind] / total, 2)}`);
      }
    },
  };
}

function render({ model, el }) {
  const first = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
  const design = choices({ legend: "The chip has", options: DESIGNS,
    get: () => model.get("design"), put: (value) => model.set("design", value) });
  const chip = choices({ legend: "Units of the chip", quiet: true,
    options: CHIPS.map((n) => [n, number(n)]),
    get: () => model.get("chip"), put: (value) => model.set("chip", value) });
  const sliders = [
    slider({ label: "units of a large core <i>r</i>", say: cores,
      values: () => wholeNumbers(model.get("chip")),
      get: () => Math.min(model.get("core"), model.get("chip")),
      put: (value) => model.set("core", value) }),
    slider({ label: "serial fraction <i>s</i>", say: (v) => percent(v), values: () => FRACTIONS,
      get: () => model.get("serial_fraction"), put: (value) => model.set("serial_fraction", value) }),
  ];
  const reset = html("button", { type: "button", class: "ax-reset" }, "Reset");
  reset.addEventListener("click", () => {
    for (const [name, value] of Object.entries(first)) model.set(name, value);
  });
  const [plot, bar] = [designChart(model), timeBar()];
  const key = html("ul", { class: "ax-key ax-key-row", "aria-hidden": "true" },
    ...DESIGNS.map(([name, words]) => html("li", {}, html("i", { class:
      { symmetric: "ax-law", asymmetric: "ax-second", dynamic: "ax-third" }[name] }), words)));
  const big = html("strong", { class: "ax-big" });
  const [made, facts] = [html("p", { class: "ax-head" }), html("dl", { class: "ax-facts" })];
  const [smallest, best, top] = ["with cores of one unit", "best core of this design",
    "speedup with it"].map((words) => readout(facts, words));
  const live = html("p", { class: "ax-live", role: "status", "aria-live": "polite" });
  const body = html("div", { class: "ax-body" },
    html("div", { class: "ax-top" }, design.row),
    html("div", { class: "ax-main" }, html("div", { class: "ax-plot" }, plot.picture), key),
    html("div", { class: "ax-controls" }, ...sliders.map(({ row }) => row),
      html("div", { class: "ax-last" }, chip.row, reset)),
    html("div", { class: "ax-side" },
      html("div", {}, html("p", { class: "ax-soft" }, "speedup over one small core "), big),
      html("div", {}, made, ...bar.parts), html("div", {}, facts)),
    html("div", { class: "ax-foot" }, live));
  const root = html("section", { class: "ax", "aria-label": "Explorer: a chip's cores" }, body);

  function paint() {
    const now = read(model);
    for (const control of [design, chip, ...sliders]) control.paint();
    plot.paint(now);
    bar.paint(now.times);
    write(big, `${number(now.speedup)}×`);
    write(made, `${inventory(now.design, now.n, now.r)}: where the time goes`);
    smallest(`${number(now.smallest)}×`);
    best(cores(now.best));
    top(`${number(now.top)}×`);
  }

  function say() {
    const text = sentence(read(model));
    set(plot.picture, { "aria-label": `Speedup of three designs over the units of a core. ${text}` });
    return text;
  }

  return present({ model, el, root, names: NAMES, paint, say, live });
}

export default { render, formulas };
