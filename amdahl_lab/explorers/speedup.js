// Which law, and what the next worker buys: the picture. What it says is in speedup_laws.js.

const MARGINS = { left: 44, right: 16, top: 12, bottom: 42 };

// The chart of S(N): equal log axes, the laws as lines, the measured points, a handle to drag.
function speedupChart(model) {
  const view = chart("ax-chart");
  const key = html("ul", { class: "ax-key", "aria-hidden": "true" });
  const line = (name) => view.lines.appendChild(svg("path", { class: `ax-line ${name}` }));
  const ideal = line("ax-ideal");
  const others = [line("ax-other"), line("ax-other ax-second")];
  const [ceiling, drop, law, grip] = ["ax-limit", "ax-drop", "ax-law", "ax-grip"].map(line);
  const idealText = view.marks.appendChild(svg("text", { class: "ax-note" }, "ideal, S = N"));
  const ceilingText = view.marks.appendChild(svg("text", { class: "ax-note" }));
  const measured = view.marks.appendChild(svg("g"));
  const touch = svg("circle", { class: "ax-touch", r: 22 });
  const value = svg("text", { class: "ax-here" });
  const handle = svg("g", {}, touch, svg("circle", { class: "ax-handle", r: 8 }));
  view.marks.append(value, handle);
  let [width, drawn, listed, x, y, points] = [0, "", "", null, null, []];

  function axes() {
    const reach = model.get("reach");
    const lows = points.filter((p) => p.workers <= reach).map((p) => 0.85 * p.low);
    const low = Math.max(0.25, Math.min(reach ** -0.08, ...lows));
    const perFold = (width - MARGINS.left - MARGINS.right) / Math.log(reach);
    const foot = MARGINS.top + perFold * Math.log(reach / low);
    view.resize(width, foot + MARGINS.bottom, MARGINS);
    x = logScale([1, reach], [MARGINS.left, width - MARGINS.right]);
    y = logScale([low, reach], [foot, MARGINS.top]);
    const few = reach > 64 ? (v) => Math.log2(v) % 2 === 0 : () => true;
    const marks = powersOfTwo(reach).map((v) => [v, few(v) ? number(v) : ""]);
    view.axes.replaceChildren();
    ticks(view.axes, "x", x, marks, [foot, MARGINS.top]);
    ticks(view.axes, "y", y, marks, [MARGINS.left, width - MARGINS.right]);
    const middle = (MARGINS.left + width - MARGINS.right) / 2;
    view.axes.append(
      svg("text", { class: "ax-title", x: middle, y: foot + 35, "text-anchor": "middle" },
        "workers N"),
      svg("text", { class: "ax-title", "text-anchor": "middle",
        transform: `translate(12 ${foot / 2}) rotate(-90)` }, "speedup S"),
    );
    set(ideal, { d: curve((N) => N, [1, reach], x, y, 1) });
    const near = reach ** 0.84;
    set(idealText, { "text-anchor": "middle",
      transform: `translate(${x.at(near) + 10} ${y.at(near) + 10}) rotate(-45)` });
    measured.replaceChildren(...points.filter((p) => p.workers <= reach).map((p) => {
      const { mark, place } = measuredMark({ hollow: p.oversubscribed });
      place(x.at(p.workers), y.at(p.speedup), y.at(p.low), y.at(p.high));
      return mark;
    }));
  }

  function entries(now) {
    const items = [["ax-law", now.law.title]];
    now.law.others(now.q).forEach(([name], i) =>
      items.push([i ? "ax-other ax-second" : "ax-other", name]));
    if (points.some((p) => !p.oversubscribed)) items.push(["ax-dot", "measured, 95% interval"]);
    if (points.some((p) => p.oversubscribed)) items.push(["ax-dot ax-hollow", "more workers than cores"]);
    const words = items.join();
    if (words === listed) return;
    listed = words;
    key.replaceChildren(...items.map(([name, text]) => html("li", {},
      svg("svg", { width: 26, height: 10, viewBox: "0 0 26 10" }, name.startsWith("ax-dot")
        ? svg("circle", { class: name, cx: 13, cy: 5, r: 4 })
        : svg("path", { class: `ax-line ${name}`, d: "M0 5H26" })), text)));
  }

  const reached = (px) => clamp(x.value(px), 1, model.get("reach"));
  draggable(handle, view.picture, (px) => {
    const table = wholeNumbers(model.get("reach"));
    model.set("workers", table[nearest(table, reached(px))]);
  });
  draggable(grip, view.picture, (px, py) => {
    const { law: chosen, q } = read(model);
    const N = Math.max(1.05, reached(px));
    const S = clamp(y.value(py), 1.0001, N);
    for (const [name, share] of Object.entries(chosen.bend(q, S, N))) {
      model.set(name, Number(clamp(share, 0, 1).toPrecision(3)));
    }
  });

  return {
    picture: view.picture,
    key,
    paint(now) {
      const reach = model.get("reach");
      points = model.get("points");
      const wanted = view.picture.parentElement.clientWidth;
      const scene = JSON.stringify([wanted, reach, points]);
      if (scene !== drawn) {
        [width, drawn] = [wanted, scene];
        axes();
      }
      const path = curve(now.at, [1, reach], x, y);
      set(law, { d: path });
      set(grip, { d: path });
      const companions = now.law.others(now.q);
      others.forEach((other, i) => set(other, {
        d: companions[i] ? curve(companions[i][1], [1, reach], x, y) : "",
      }));
      entries(now);
      const [px, py] = [x.at(now.N), y.at(now.S)];
      const [left, right, foot] = [x.at(1), x.at(reach), y.at(1)];
      set(drop, { d: `M${px} ${py}V${Math.max(foot, py)}M${px} ${py}H${left}` });
      set(handle, { transform: `translate(${px} ${py})` });
      const late = px > right - 70;
      set(value, { x: late ? px - 4 : px + 13, y: py + 21, "text-anchor": late ? "end" : "start" });
      write(value, `S = ${number(now.S)}`);
      const peaked = now.peak <= reach;
      const shown = now.limit <= reach && (peaked || !Number.isFinite(now.peak));
      const level = shown ? y.at(now.limit) : 0;
      set(ceiling, { d: shown ? `M${left} ${level}H${right}` : "",
        class: `ax-line ${peaked ? "ax-peak" : "ax-limit"}` });
      const text = peaked ? `peak ${number(now.limit)} at N = ${number(now.peak, 2)}`
        : `limit 1/${now.law === LAWS.usl ? "σ" : "s"} = ${number(now.limit)}`;
      set(ceilingText, { x: right - 4, y: level - 6, "text-anchor": "end" });
      write(ceilingText, shown ? text : "");
    },
  };
}

// The side chart: what a doubling buys at each N, and the efficiency, on the same axis of N.
function doublingChart(model) {
  const view = chart("ax-side-chart");
  const line = (name) => view.lines.appendChild(svg("path", { class: `ax-line ${name}` }));
  const [efficiency, gain] = [line("ax-efficiency"), line("ax-gain")];
  const dots = [["ax-efficiency-dot", 4], ["ax-gain-dot", 5.5]].map(([name, r]) =>
    view.marks.appendChild(svg("circle", { class: name, r })));
  return {
    picture: view.picture,
    paint({ at, N, S, next }) {
      const reach = model.get("reach");
      const width = view.picture.parentElement.clientWidth;
      const edges = { left: 44, right: 18, top: 10, bottom: 24 };
      const [height, foot] = [150, 150 - edges.bottom];
      view.resize(width, height, edges);
      const x = logScale([1, reach], [edges.left, width - edges.right]);
      const low = model.get("law") === "usl" ? -0.5 : 0;
      const y = linearScale([low, 1], [foot, edges.top]);
      const levels = low ? [-0.5, 0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1];
      view.axes.replaceChildren();
      ticks(view.axes, "y", y, levels.map((v) => [v, v * 4 % 2 ? "" : percent(v).replace("-", "−")]),
        [edges.left, width - edges.right]);
      const named = powersOfTwo(reach).filter((v) => reach < 65 || Math.log2(v) % 5 === 0);
      ticks(view.axes, "x", x, named.map((v) => [v, number(v)]), [foot, edges.top]);
      set(gain, { d: curve((n) => at(2 * n) / at(n) - 1, [1, reach], x, y, 48) });
      set(efficiency, { d: curve((n) => at(n) / n, [1, reach], x, y, 48) });
      set(dots[0], { cx: x.at(N), cy: y.at(S / N) });
      set(dots[1], { cx: x.at(N), cy: y.at(clamp(next, low, 1)) });
    },
  };
}

// One bar: which part of the time on N workers is what.
function timeBar() {
  const kinds = [["serial", "ax-serial"], ["divided work", "ax-compute"],
    ["queueing", "ax-waiting"], ["exchange", "ax-communication"]];
  const bar = html("div", { class: "ax-bar" });
  const words = html("ul", { class: "ax-bar-key" });
  const rows = kinds.map(([kind, name]) => {
    const piece = bar.appendChild(html("span", { class: name }));
    const text = html("span");
    const item = words.appendChild(html("li", {}, html("i", { class: name }), text));
    return [kind, piece, item, text];
  });
  return {
    parts: [bar, words],
    paint({ law, q, N }) {
      const shares = law.shares(q, N);
      const total = Object.values(shares).reduce((sum, share) => sum + share, 0);
      for (const [kind, piece, item, text] of rows) {
        const share = (shares[kind] ?? 0) / total;
        piece.style.flexGrow = share;
        item.hidden = !(kind in shares);
        write(text, `${kind} ${percent(share, 2)}`);
      }
    },
  };
}

function render({ model, el }) {
  const first = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
  const put = (name) => (value) => model.set(name, value);
  const get = (name) => () => model.get(name);
  const over = (name, label, values, say) =>
    [name, slider({ label, say, values: () => values, get: get(name), put: put(name) })];

  const laws = choices({ legend: "Which law?", get: get("law"), put: put("law"),
    options: Object.entries(LAWS).map(([value, { name }]) => [value, name]) });
  const reach = choices({ legend: "chart up to N =", quiet: true, get: get("reach"),
    options: [8, 64, 1024].map((n) => [n, number(n)]),
    put(value) {
      model.set("reach", value);
      model.set("workers", Math.min(model.get("workers"), value));
    } });
  const sliders = [
    ["workers", slider({ label: "workers <i>N</i>", say: workersText, get: get("workers"),
      put: put("workers"), values: () => wholeNumbers(model.get("reach")) })],
    over("serial_fraction", "serial fraction <i>s</i>", FRACTIONS, (v) => percent(v)),
    over("growth", "growth exponent <i>a</i>", EXPONENTS, (v) => number(v)),
    over("contention", "contention <i>σ</i>", FRACTIONS, (v) => percent(v)),
    over("coherency", "coherency <i>κ</i>", COHERENCIES, (v) => number(v)),
  ];
  const reset = html("button", { type: "button", class: "ax-reset" }, "Reset");
  reset.addEventListener("click", () => {
    for (const [name, value] of Object.entries(first)) model.set(name, value);
  });

  const [formula, story] = [html("p", { class: "ax-formula" }), html("p", { class: "ax-story" })];
  const [plot, doubling, bar] = [speedupChart(model), doublingChart(model), timeBar()];
  const big = html("strong", { class: "ax-big" });
  const list = html("dl", { class: "ax-facts" });
  const facts = {
    efficiency: readout(list, "efficiency S / N"),
    cost: readout(list, "cost per result N / S"),
    half: readout(list, "half efficiency at"),
    limit: readout(list, "ceiling of S"),
  };
  const [timeTitle, gainTitle] = [html("p", { class: "ax-head" }), html("p", { class: "ax-head" })];
  const live = html("p", { class: "ax-live", role: "status", "aria-live": "polite" });
  const source = html("p", { class: "ax-source" });
  const body = html("div", { class: "ax-body" },
    html("div", { class: "ax-top" }, laws.row, html("div", { class: "ax-law-text" }, formula, story)),
    html("div", { class: "ax-main" }, html("div", { class: "ax-plot" }, plot.picture, plot.key)),
    html("div", { class: "ax-controls" }, ...sliders.map(([, { row }]) => row),
      html("div", { class: "ax-last" }, reach.row, reset)),
    html("div", { class: "ax-side" },
      html("div", {}, html("p", { class: "ax-soft" }, "speedup S ", big), list),
      html("div", {}, timeTitle, ...bar.parts),
      html("div", {}, gainTitle,
        html("p", { class: "ax-soft ax-small" }, "solid: gain, dashed: efficiency"),
        html("div", { class: "ax-plot" }, doubling.picture))),
    html("div", { class: "ax-foot" }, live, source));
  const title = "Explorer: which law, and what the next worker buys";
  const root = html("section", { class: "ax", "aria-label": title }, body);

  function paint() {
    const now = read(model);
    const { law, N, S, next, half, limit } = now;
    for (const control of [laws, reach]) control.paint();
    for (const [name, control] of sliders) {
      control.row.hidden = name !== "workers" && !law.sliders.includes(name);
      if (!control.row.hidden) control.paint();
    }
    if (formula.innerHTML !== law.formula) [formula.innerHTML, story.innerHTML] = [law.formula, law.story];
    plot.paint(now);
    doubling.paint(now);
    bar.paint(now);
    write(big, `${number(S)}×`);
    facts.efficiency(percent(S / N, 2));
    facts.cost(`${number(N / S)}×`);
    facts.half(Number.isFinite(half) && half < 1e6 ? `N = ${number(half)}` : "never");
    facts.limit(Number.isFinite(limit) ? `${number(limit)}×` : "none");
    write(timeTitle, `Time on ${workersText(N)}`);
    write(gainTitle, `${number(N)} → ${number(2 * N)} workers: ${next < 0 ? "−" : "+"}`
      + `${percent(Math.abs(next), 2)}`);
  }

  function say() {
    const text = sentence(read(model));
    const [points, provenance] = [model.get("points"), model.get("provenance")];
    set(plot.picture, { "aria-label": `Speedup against workers, both axes logarithmic. ${text} `
      + measuredText(points, provenance) });
    set(doubling.picture, { "aria-label": "What the next doubling buys (solid) and efficiency "
      + "(dashed) against workers." });
    write(source, points.length ? `Measured: ${provenance}` : "");
    return text;
  }

  return present({ model, el, root, names: NAMES, paint, say, live });
}

export default { render, formulas };
