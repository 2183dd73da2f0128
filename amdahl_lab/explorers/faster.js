// Which is faster? The picture. What it says is in faster_model.js.

const EDGES = { left: 46, right: 14, top: 12, bottom: 42 };

// The times in the order in which they were taken; A filled, B hollow.
function timesChart() {
  const view = chart("ax-chart");
  return {
    picture: view.picture,
    paint({ turns }) {
      const width = view.picture.parentElement.clientWidth;
      const height = Math.min(300, 0.5 * width + 70);
      const [right, foot] = [width - EDGES.right, height - EDGES.bottom];
      view.resize(width, height, EDGES);
      const values = turns.map((t) => 100 * Math.exp(t[2]));
      const [least, most] = [Math.min(...values), Math.max(...values)];
      const margin = 0.08 * (most - least);
      const x = linearScale([1, turns.length], [EDGES.left + 8, right - 8]);
      const y = linearScale([least - margin, most + margin], [foot, EDGES.top]);
      view.axes.replaceChildren();
      const step = [1, 2, 5, 10, 20].find((s) => (most - least) / s <= 6) ?? 50;
      const levels = [];
      for (let v = Math.ceil(least / step) * step; v <= most; v += step) levels.push([v, number(v)]);
      ticks(view.axes, "y", y, levels, [EDGES.left, right]);
      view.axes.append(
        svg("text", { class: "ax-title", x: (EDGES.left + right) / 2, y: foot + 30,
          "text-anchor": "middle" }, "in the order in which they were taken"),
        svg("text", { class: "ax-title", "text-anchor": "middle",
          transform: `translate(11 ${foot / 2}) rotate(-90)` }, "time (ms)"));
      view.marks.replaceChildren(...turns.map(([turn, side], k) => svg("circle", {
        class: side ? "ax-dot ax-hollow" : "ax-dot", r: turns.length > 80 ? 2.6 : 3.8,
        cx: x.at(turn + 1).toFixed(1), cy: y.at(values[k]).toFixed(1) })));
    },
  };
}

// The interval of B's time against A's, with zero and, once revealed, the truth.
function intervalChart() {
  const view = chart("ax-chart");
  return {
    picture: view.picture,
    paint({ centre, low, high, truth, revealed }) {
      const width = view.picture.parentElement.clientWidth;
      const [height, left, right] = [96, 16, width - 16];
      view.resize(width, height, { left, right: 16, top: 6, bottom: 40 });
      const reach = Math.max(0.06, Math.abs(low), Math.abs(high)) * 1.1;
      const x = linearScale([-reach, reach], [left, right]);
      const step = [0.02, 0.05, 0.1, 0.2, 0.5].find((s) => reach / s <= 4) ?? 1;
      const count = Math.floor(reach / step);
      view.axes.replaceChildren();
      ticks(view.axes, "x", x, Array.from({ length: 2 * count + 1 }, (_, k) =>
        [(k - count) * step, `${Math.round(100 * (k - count) * step)}%`]), [56, 8]);
      view.axes.append(svg("text", { class: "ax-title", x: width / 2, y: 90,
        "text-anchor": "middle" }, "B's time against A's, with its 95% interval"));
      const at = (v) => x.at(v).toFixed(1);
      const marks = [
        svg("path", { class: "ax-line", style: "stroke: var(--ax-ink)", d: `M${at(0)} 8V56` }),
        svg("path", { class: "ax-interval",
          d: `M${at(low)} 32H${at(high)}M${at(low)} 26v12M${at(high)} 26v12` }),
        svg("circle", { class: "ax-dot", r: 4.5, cx: at(centre), cy: 32 }),
      ];
      if (revealed) {
        marks.push(svg("path", { class: "ax-line", d: `M${at(truth)} 6V56`,
          style: "stroke: var(--ax-communication); stroke-width: 3; stroke-dasharray: 5 3" }));
      }
      view.marks.replaceChildren(...marks);
    },
  };
}

function render({ model, el }) {
  const first = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
  const over = (name, label, values, say) => slider({ label, say, values: () => values,
    get: () => model.get(name), put: (value) => model.set(name, value) });
  const order = choices({ legend: "Order", get: () => model.get("order"),
    options: [["blocks", "all of A, then all of B"], ["interleaved", "A and B in turn"]],
    put: (value) => model.set("order", value) });
  const truth = choices({ legend: "Truth", quiet: true, get: () => model.get("revealed"),
    options: [[false, "hidden"], [true, "shown"]], put: (value) => model.set("revealed", value) });
  const sliders = [
    over("rounds", "rounds <i>R</i>", ROUNDS, (v) => `${v} of each`),
    over("noise", "noise of one time", NOISES, (v) => percent(v, 2)),
    over("drift", "drift from start to end", DRIFTS, (v) => percent(v, 2)),
  ];
  const button = (text, act) => {
    const made = html("button", { type: "button", class: "ax-reset" }, text);
    made.addEventListener("click", act);
    return made;
  };
  const another = button("Other machines", () => {
    model.set("seed", (model.get("seed") % 900) + 1);
    model.set("revealed", false);
  });
  const reset = button("Reset", () => {
    for (const [name, value] of Object.entries(first)) model.set(name, value);
  });
  const [plot, bar] = [timesChart(), intervalChart()];
  const big = html("strong", { class: "ax-big" });
  const facts = html("dl", { class: "ax-facts" });
  const say = { interval: readout(facts, "B's time against A's"),
    range: readout(facts, "95% interval"), wrong: readout(facts, "such experiments that miss"),
    truth: readout(facts, "the truth") };
  const key = html("ul", { class: "ax-key ax-key-row", "aria-hidden": "true" },
    html("li", {}, "● A"), html("li", {}, "○ B"));
  const live = html("p", { class: "ax-live", role: "status", "aria-live": "polite" });
  const body = html("div", { class: "ax-body" },
    html("div", { class: "ax-top" }, order.row),
    html("div", { class: "ax-main" }, html("div", { class: "ax-plot" }, plot.picture), key,
      html("div", { class: "ax-plot" }, bar.picture)),
    html("div", { class: "ax-controls" }, ...sliders.map(({ row }) => row),
      html("div", { class: "ax-last" }, truth.row, another, reset)),
    html("div", { class: "ax-side" },
      html("div", {}, html("p", { class: "ax-soft" }, "you would conclude "), big),
      html("div", {}, facts)),
    html("div", { class: "ax-foot" }, live));
  const root = html("section", { class: "ax", "aria-label": "Explorer: which is faster?" }, body);

  function paint() {
    const now = read(model);
    for (const control of [order, truth, ...sliders]) control.paint();
    plot.paint(now);
    bar.paint(now);
    write(big, verdict(now));
    say.interval(signed(now.centre));
    say.range(`${signed(now.low)} to ${signed(now.high)}`);
    say.wrong(percent(now.wrong, 2));
    say.truth(now.revealed ? truthText(now.truth) : "hidden");
  }

  function spoken() {
    const text = sentence(read(model));
    set(plot.picture, { "aria-label": `Times of A and B in the order in which they were taken. ${text}` });
    set(bar.picture, { "aria-label": "The interval of B's time against A's, around zero." });
    return text;
  }

  return present({ model, el, root, names: NAMES, paint, say: spoken, live });
}

export default { render, formulas };
