// Choose a series, drag the law, uncover the largest run: the picture. What it knows is in
// wild_laws.js.

const EDGES = { left: 44, right: 20, top: 14, bottom: 42 };

// The speedup over the smallest N; the largest run is a question mark until it is uncovered.
function seriesChart(model) {
  const view = chart("ax-chart");
  const line = (name) => view.lines.appendChild(svg("path", { class: `ax-line ${name}` }));
  const [ideal, drop, law] = ["ax-ideal", "ax-drop", "ax-law"].map(line);
  const points = view.marks.appendChild(svg("g"));
  const covered = view.marks.appendChild(svg("text", { class: "ax-here", "text-anchor": "middle" }, "?"));
  const touch = svg("circle", { class: "ax-touch", r: 22 });
  const value = view.marks.appendChild(svg("text", { class: "ax-here", "text-anchor": "end" }));
  const handle = svg("g", {}, touch, svg("circle", { class: "ax-handle", r: 8 }));
  touch.style.cursor = "ns-resize";
  view.marks.append(handle);
  let [drawn, x, y, top] = ["", null, null, 1];

  function axes(item, width) {
    const [first, N] = [item.workers[0], item.workers.slice(-1)[0]];
    const reach = N / first;
    top = reach * 1.15;
    const low = Math.min(0.9, 0.9 * Math.min(...item.speedups));
    const height = clamp(0.72 * width, 230, 380);
    const foot = height - EDGES.bottom;
    view.resize(width, height, EDGES);
    x = logScale([first, N * reach ** 0.07], [EDGES.left, width - EDGES.right]);
    y = logScale([low, top], [foot, EDGES.top]);
    view.axes.replaceChildren();
    let room = -Infinity;
    const marks = item.workers.map((each) => {
      const near = x.at(each) - room < 34 && each !== N;
      if (!near) room = x.at(each);
      return [each, near ? "" : number(each)];
    });
    ticks(view.axes, "x", x, marks, [foot, EDGES.top]);
    const every = reach > 64 ? 4 : 2;
    const levels = powersOfTwo(top).filter((v) => Math.log2(v) % Math.log2(every) === 0);
    ticks(view.axes, "y", y, levels.map((v) => [v, number(v)]), [EDGES.left, width - EDGES.right]);
    view.axes.append(
      svg("text", { class: "ax-title", x: (EDGES.left + width - EDGES.right) / 2, y: foot + 35,
        "text-anchor": "middle" }, `${item.unit} N`),
      svg("text", { class: "ax-title", "text-anchor": "middle",
        transform: `translate(12 ${foot / 2}) rotate(-90)` }, `speedup over ${number(first)}`),
    );
    set(ideal, { d: curve((n) => n / first, [first, N], x, y, 1) });
  }

  draggable(handle, view.picture, (_, py) => {
    const { item, key, q } = read(model);
    const low = Math.min(...item.speedups) / 2;
    const found = guessing.bend(item, key, q, clamp(y.value(py), low, top));
    for (const [name, share] of Object.entries(found)) model.set(name, Number(share.toPrecision(3)));
  });

  return {
    picture: view.picture,
    paint({ item, at, guess, N, S, first, uncovered }) {
      const width = view.picture.parentElement.clientWidth;
      const scene = JSON.stringify([width, item.key]);
      if (scene !== drawn) {
        drawn = scene;
        axes(item, width);
      }
      set(law, { d: curve((n) => at(n), [first, N], x, y, 60) });
      const shown = uncovered ? item.workers : item.workers.slice(0, -1);
      points.replaceChildren(...shown.map((each, k) => {
        const { mark, place } = measuredMark({ hollow: item.hollow.includes(each) });
        const level = y.at(item.speedups[k]);
        place(x.at(each), level, level, level);
        return mark;
      }));
      const [px, py] = [x.at(N), y.at(clamp(guess, 1e-3, 2 * top))];
      set(covered, { x: px, y: y.at(top) + 12, visibility: uncovered ? "hidden" : "visible" });
      set(handle, { transform: `translate(${px} ${py})` });
      set(drop, { d: uncovered ? `M${px} ${py}V${y.at(S)}` : "" });
      set(value, { x: px - 14, y: py + 5 });
      write(value, `guess ${number(guess)}`);
    },
  };
}

// One bar: whose the loss at the largest N is.
function lossBar() {
  const kinds = [["machine", "ax-compute"], ["optimiser", "ax-serial"]];
  const bar = html("div", { class: "ax-bar" });
  const words = html("ul", { class: "ax-bar-key" });
  const rows = kinds.map(([kind, name]) => {
    const piece = bar.appendChild(html("span", { class: name }));
    const text = html("span");
    words.append(html("li", {}, html("i", { class: name }), text));
    return [kind, piece, text];
  });
  return {
    parts: [bar, words],
    paint(sides) {
      const lost = Object.fromEntries(Object.entries(sides).map(([side, e]) =>
        [side, Math.max(0, -Math.log(e))]));
      const total = mean(Object.values(lost)) * 2 || 1;
      for (const [kind, piece, text] of rows) {
        piece.style.flexGrow = (lost[kind] ?? 0) / total;
        write(text, `${kind} ${percent((lost[kind] ?? 0) / total, 2)}`);
      }
    },
  };
}

function render({ model, el }) {
  const first = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
  const get = (name) => () => model.get(name);
  const put = (name) => (value) => model.set(name, value);
  const which = choices({ legend: "Which series?", get: get("case"),
    options: model.get("cases").map(({ key }) => [key, key === "own" ? "our own run" : key]),
    put(value) {
      model.set("case", value);
      model.set("uncovered", false);
    } });
  which.row.style.marginBottom = "12px";
  const laws = choices({ legend: "Which law?", get: get("law"), put: put("law"),
    options: Object.entries(RIVALS).map(([value, { name }]) => [value, name]) });
  const texts = { serial_fraction: "serial fraction <i>s</i>", contention: "contention <i>σ</i>",
    coherency: "coherency <i>κ</i>", half_batch: "half-efficiency batch <i>h</i>" };
  const words = { half_batch: (v) => `${number(v)} per worker`, coherency: (v) => tiny(v) };
  const sliders = SETTINGS.map((name) => [name, slider({ label: texts[name], get: get(name),
    put: put(name), values: () => TABLES[name], say: words[name] ?? ((v) => percent(v)) })]);
  const button = (text, act) => {
    const made = html("button", { type: "button", class: "ax-reset" }, text);
    made.addEventListener("click", act);
    return made;
  };
  const fit = button("Best fit", () => {
    const { item, key } = read(model);
    for (const [name, value] of Object.entries(guessing.best(item, key))) {
      model.set(name, Number(value.toPrecision(5)));
    }
  });
  const uncover = button("Uncover", () => model.set("uncovered", !model.get("uncovered")));
  const reset = button("Reset", () => {
    for (const [name, value] of Object.entries(first)) model.set(name, value);
  });
  const [formula, story, titled] = ["ax-formula", "ax-story", "ax-head"].map((name) =>
    html("p", { class: name }));
  const [plot, bar] = [seriesChart(model), lossBar()];
  const big = html("strong", { class: "ax-big" });
  const list = html("dl", { class: "ax-facts" });
  const facts = {
    misfit: readout(list, "misses points shown by"),
    measured: readout(list, "the run gave"),
    error: readout(list, "guess is off by"),
  };
  const lossTitle = html("p", { class: "ax-head" });
  const loss = html("div", {}, lossTitle, ...bar.parts);
  const live = html("p", { class: "ax-live", role: "status", "aria-live": "polite" });
  const source = html("p", { class: "ax-source" });
  const body = html("div", { class: "ax-body" },
    html("div", { class: "ax-top" }, which.row, laws.row,
      html("div", { class: "ax-law-text" }, formula, story)),
    html("div", { class: "ax-main" }, titled, html("div", { class: "ax-plot" }, plot.picture)),
    html("div", { class: "ax-controls" }, ...sliders.map(([, { row }]) => row),
      html("div", { class: "ax-last" }, fit, uncover, reset)),
    html("div", { class: "ax-side" },
      html("div", {}, html("p", { class: "ax-soft" }, "the law guesses ", big), list), loss),
    html("div", { class: "ax-foot" }, live, source));
  const root = html("section", { class: "ax",
    "aria-label": "Explorer: guess the largest run of a series" }, body);

  function paint() {
    const now = read(model);
    const { law, item, guess, misfit, N, S, error, uncovered } = now;
    for (const control of [which, laws]) control.paint();
    for (const [name, control] of sliders) {
      control.row.hidden = !law.names.includes(name);
      if (!control.row.hidden) control.paint();
    }
    if (formula.innerHTML !== law.formula) [formula.innerHTML, story.innerHTML] = [law.formula, law.story];
    write(titled, item.title);
    plot.paint(now);
    bar.paint(item.sides);
    loss.hidden = !("machine" in item.sides);
    write(lossTitle, `Whose the loss at ${number(N)} is`);
    write(big, `${number(guess)}×`);
    facts.misfit(percent(misfit, 2));
    facts.measured(uncovered ? `${number(S)}×` : "covered");
    facts.error(uncovered ? signed(error) : "covered");
    write(uncover, uncovered ? "Cover" : "Uncover");
  }

  function say() {
    const now = read(model);
    const text = sentence(now);
    const shown = now.uncovered ? now.item.workers : now.item.workers.slice(0, -1);
    const each = shown.map((n, k) => `${number(n)}: ${number(now.item.speedups[k])}`);
    set(plot.picture, { "aria-label": `Speedup over ${number(now.first)} ${now.item.unit}, both `
      + `axes logarithmic. ${text} Points: ${each.join(", ")}.` });
    write(source, now.item.note);
    return text;
  }

  return present({ model, el, root, names: NAMES, paint, say, live });
}

export default { render, formulas: guessing };
