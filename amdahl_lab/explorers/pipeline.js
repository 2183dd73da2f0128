// A pipeline's timeline with what it keeps in memory: the picture. What it says is in
// pipeline_schedule.js.

const MOST_MICRO_BATCHES = 32;

// One row for each worker, with its passes; a bar behind it for the activations that it keeps.
function ganttChart() {
  const view = chart("ax-chart ax-gantt");
  const path = (name) => view.lines.appendChild(svg("path", { class: name }));
  const [idle, forward, backward] = ["ax-idle", "ax-forward", "ax-backward"].map(path);
  const kept = view.marks.appendChild(svg("path", { class: "ax-kept" }));
  const numbers = view.marks.appendChild(svg("g", { class: "ax-numbers" }));
  return {
    picture: view.picture,
    paint({ stages, M, v, passes, total, live, q }) {
      const width = view.picture.parentElement.clientWidth;
      const narrow = width < 420;
      const [left, right, top, gap] = [narrow ? 26 : 62, narrow ? 62 : 96, 20, 5];
      const row = clamp(240 / stages, 24, narrow ? 40 : 58);
      const foot = top + stages * row;
      view.resize(width, foot + 34, { left, right: 0, top, bottom: 34 });
      const x = linearScale([0, total], [left, width - right]);
      const y = (stage) => top + stage * row;
      const box = (from, to, stage) => `M${from.toFixed(1)} ${y(stage)}H${to.toFixed(1)}`
        + `v${row - gap}H${from.toFixed(1)}z`;
      set(idle, { d: live.map((_, stage) => box(x.at(0), x.at(total), stage)).join("") });
      const drawn = (back) => passes.filter((pass) => pass.back === back).map((pass) => {
        const [from, to] = [x.at(pass.start), x.at(pass.end)];
        return box(from, Math.max(from + 0.6, to - (to - from > 4 ? 1 : 0)), pass.stage);
      }).join("");
      set(forward, { d: drawn(0) });
      set(backward, { d: drawn(1) });
      numbers.replaceChildren(...passes.filter((pass) => x.at(pass.end) - x.at(pass.start) > 15)
        .map((pass) => svg("text", { x: (x.at(pass.start) + x.at(pass.end)) / 2,
          y: y(pass.stage) + row / 2 + 2, "text-anchor": "middle",
          class: pass.back ? "ax-back" : "" }, String(pass.m + 1))));
      const [from, most] = [width - right + 8, Math.max(M, ...live)];
      const room = right - 8 - 26;
      set(kept, { d: live.map((count, stage) => `M${from} ${y(stage)}h${(room * count) / most}`
        + `v${row - gap}H${from}z`).join("") });
      view.axes.replaceChildren();
      live.forEach((count, stage) => {
        const slow = q.slow > 0 && stage === slowStage(stages);
        const name = narrow ? `${stage + 1}` : `stage ${stage + 1}`;
        view.axes.append(
          svg("text", { x: left - 7, y: y(stage) + row / 2 + 2, "text-anchor": "end",
            class: slow ? "ax-slow" : "" }, slow ? `${name} ▲` : name),
          svg("text", { x: from + (room * count) / most + 4, y: y(stage) + row / 2 + 2 },
            number(count)),
        );
      });
      view.axes.append(svg("text", { x: from, y: 12 }, narrow ? "kept" : "kept in memory"));
      const step = [0.02, 0.05, 0.1, 0.25, 0.5].find((width) => total / width <= 5.01) ?? 0.5;
      const marks = Array.from({ length: Math.floor(total / step + 1e-9) + 1 }, (_, k) => k * step);
      ticks(view.axes, "x", x, marks.map((value) => [value, percent(value, 3)]), [foot - 2, top]);
      view.axes.append(svg("text", { class: "ax-title", x: (left + width - right) / 2, y: foot + 31,
        "text-anchor": "middle" }, narrow ? "time, of one worker’s step" : "time, in percent of one worker’s step"));
    },
  };
}

// The speedup over the number of micro-batches, at the settings as they are, beside measured points.
function microBatchChart(model) {
  const view = chart("ax-side-chart");
  const line = (name) => view.lines.appendChild(svg("path", { class: `ax-line ${name}` }));
  const [ceiling, curveOfAll] = [line("ax-limit"), line("ax-gain")];
  const [dot, measured] = [svg("circle", { class: "ax-gain-dot", r: 5.5 }), svg("g")];
  view.marks.append(measured, dot);
  return {
    picture: view.picture,
    paint({ q, stages, M, speedup }) {
      const width = view.picture.parentElement.clientWidth;
      const edges = { left: 30, right: 18, top: 10, bottom: 24 };
      const [height, foot] = [150, 150 - edges.bottom];
      view.resize(width, height, edges);
      const x = logScale([1, MOST_MICRO_BATCHES], [edges.left, width - edges.right]);
      const y = linearScale([0, stages * 1.05], [foot, edges.top]);
      view.axes.replaceChildren();
      const levels = stages > 4 ? [0, 2, 4, 6, 8] : [0, 1, 2, 3, 4];
      ticks(view.axes, "y", y, levels.filter((v) => v <= stages).map((v) => [v, number(v)]),
        [edges.left, width - edges.right]);
      ticks(view.axes, "x", x, powersOfTwo(MOST_MICRO_BATCHES).map((v) => [v, number(v)]),
        [foot, edges.top]);
      const counts = Array.from({ length: MOST_MICRO_BATCHES }, (_, k) => k + 1)
        .filter((m) => wholeRounds(q.schedule, stages, m) === m);
      set(curveOfAll, { d: counts.map((m, k) => `${k ? "L" : "M"}${x.at(m).toFixed(1)} `
        + `${y.at(speedupAt(q, m)).toFixed(1)}`).join("") });
      set(ceiling, { d: `M${x.at(1)} ${y.at(stages)}H${x.at(MOST_MICRO_BATCHES)}` });
      set(dot, { cx: x.at(M), cy: y.at(speedup) });
      measured.replaceChildren(...pointsHere(model).map((p) => {
        const { mark, place } = measuredMark();
        place(x.at(p.micro_batches), y.at(p.speedup), y.at(p.low), y.at(p.high));
        return mark;
      }));
    },
  };
}

const pointsHere = (model) => model.get("points").filter((p) =>
  p.stages === model.get("stages") && p.schedule === model.get("schedule"));

function render({ model, el }) {
  const names = [...TRAITS, "points", "provenance"];
  const first = Object.fromEntries(TRAITS.map((name) => [name, model.get(name)]));
  const get = (name) => () => model.get(name);
  const put = (name) => (value) => model.set(name, value);
  const range = (low, high, step) => Array.from({ length: Math.round((high - low) / step) + 1 },
    (_, k) => Number((low + k * step).toFixed(4)));
  const kind = choices({ legend: "Schedule",
    options: Object.entries(SCHEDULES).map(([value, { name }]) => [value, name]),
    get: get("schedule"), put: put("schedule") });
  const control = (name, label, values, say) => [name,
    slider({ label, say, get: () => (name === "micro_batches" ? readPipeline(model).M : model.get(name)),
      put: put(name), values })];
  const sliders = [
    control("stages", "stages <i>N</i>", () => range(1, 8, 1), (v) => `${v} ${v > 1 ? "stages" : "stage"}`),
    control("micro_batches", "micro-batches <i>M</i>",
      () => range(1, MOST_MICRO_BATCHES, 1).filter((m) =>
        wholeRounds(model.get("schedule"), model.get("stages"), m) === m),
      (v) => `${v} micro-batch${v > 1 ? "es" : ""}`),
    control("chunks", "parts on each worker <i>v</i>", () => [2, 3, 4], (v) => `${v} parts`),
    control("ratio", "backward / forward", () => range(0.5, 3, 0.25), (v) => `${number(v)} times`),
    control("slow", "one stage is slower by", () => range(0, 1, 0.05), (v) => percent(v)),
    control("send", "sending / forward pass", () => range(0, 1, 0.05), (v) => percent(v)),
  ];
  const reset = html("button", { type: "button", class: "ax-reset" }, "Reset");
  reset.addEventListener("click", () => {
    for (const [name, value] of Object.entries(first)) model.set(name, value);
  });

  const [gantt, side] = [ganttChart(), microBatchChart(model)];
  const story = html("p", { class: "ax-story ax-under" });
  const key = html("ul", { class: "ax-bar-key", "aria-hidden": "true" },
    ...[["ax-key-forward", "forward"], ["ax-key-backward", "backward"], ["ax-key-idle", "waiting"],
      ["ax-key-kept", "micro-batches kept"]].map(([name, text]) => html("li", {}, html("i", { class: name }), text)));
  const big = html("strong", { class: "ax-big" });
  const list = html("dl", { class: "ax-facts" });
  const facts = {
    bubble: readout(list, "workers wait"),
    formula: readout(list, "(N − 1) / (vM + N − 1)", "the bubble of even stages with nothing to send"),
    live: readout(list, "kept by stage 1"),
    slow: readout(list, "cost of the slow stage"),
  };
  const live = html("p", { class: "ax-live", role: "status", "aria-live": "polite" });
  const source = html("p", { class: "ax-source" });
  const title = "Explorer: a pipeline’s timeline, and what it keeps in memory";
  const root = html("section", { class: "ax", "aria-label": title },
    html("div", { class: "ax-body" },
      html("div", { class: "ax-top" }, kind.row, story),
      html("div", { class: "ax-main" }, html("div", { class: "ax-plot" }, gantt.picture), key),
      html("div", { class: "ax-controls" }, ...sliders.map(([, { row }]) => row),
        html("div", { class: "ax-last" }, reset)),
      html("div", { class: "ax-side" },
        html("div", {}, html("p", { class: "ax-soft" }, "speedup over one worker ", big), list),
        html("div", {}, html("p", { class: "ax-head" }, "Speedup over micro-batches"),
          html("div", { class: "ax-plot" }, side.picture))),
      html("div", { class: "ax-foot" }, live, source)));

  function paint() {
    const now = readPipeline(model);
    kind.paint();
    for (const [name, { row, paint: repaint }] of sliders) {
      row.hidden = name === "chunks" && model.get("schedule") !== "interleaved";
      if (!row.hidden) repaint();
    }
    write(story, SCHEDULES[now.q.schedule].story);
    gantt.paint(now);
    side.paint(now);
    write(big, `${number(now.speedup)}×`);
    facts.bubble(percent(now.bubble, 2));
    facts.formula(percent(pipelineFormulas.bubble(now.stages, now.M, now.v), 2));
    facts.live(`${number(now.live[0])} of ${now.M}`);
    facts.slow(now.q.slow > 0 ? `+${percent(now.slowCost, 2)}` : "none");
  }

  function say() {
    const text = pipelineSentence(readPipeline(model));
    const [points, provenance] = [pointsHere(model), model.get("provenance")];
    const told = points.map((p) => `${p.micro_batches} micro-batches ${number(p.speedup)} `
      + `(${number(p.low)} to ${number(p.high)})`);
    set(gantt.picture, { "aria-label": `Timeline of a pipeline, one row for each stage. ${text}` });
    set(side.picture, { "aria-label": "Speedup over the number of micro-batches."
      + (told.length ? ` Measured, 95% interval: ${told.join("; ")}.` : "") });
    write(source, points.length ? `Dots with bars are measured, 95% interval: ${provenance}`
      : provenance && "Measured points are shown at 2 stages.");
    return text;
  }

  return present({ model, el, root, names, paint, say, live });
}

export default { render, formulas: pipelineFormulas };
