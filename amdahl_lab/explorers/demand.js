// What a transformer asks for: the picture. What it says is in demand_counts.js.

const EDGES = { left: 62, right: 18, top: 14, bottom: 42 };
const PAINTS = {
  projections: "var(--ax-compute)",
  perceptron: "var(--ax-other)",
  "attention core": "repeating-linear-gradient(45deg, transparent 0 4px, var(--ax-stripe) 4px 6px) "
    + "var(--ax-third)",
  head: "var(--ax-waiting)",
  "model state": "var(--ax-waiting)",
  "kept activations": "var(--ax-compute)",
  "kept scores": "repeating-linear-gradient(45deg, transparent 0 4px, var(--ax-stripe) 4px 6px) "
    + "var(--ax-third)",
};

// FLOPs or bytes of one token over the sequence: what stays, what grows, and where they meet.
function tokenChart(model) {
  const view = chart("ax-chart");
  const key = html("ul", { class: "ax-key", style: "position: static; margin: 6px 0 0 12px", "aria-hidden": "true" });
  const line = (name) => view.lines.appendChild(svg("path", { class: `ax-line ${name}` }));
  const [flat, other, meeting, drop] = ["ax-law", "ax-other", "ax-limit", "ax-drop"].map(line);
  set(other, { style: "stroke: var(--ax-third); stroke-width: 3; stroke-dasharray: 9 4" });
  const note = view.marks.appendChild(svg("text", { class: "ax-note" }));
  const touch = svg("circle", { class: "ax-touch", r: 22 });
  const handle = svg("g", {}, touch, svg("circle", { class: "ax-handle", r: 8 }));
  view.marks.append(handle);
  let [x, listed] = [null, ""];

  draggable(handle, view.picture, (px) => {
    model.set("sequence", SEQUENCES[nearest(SEQUENCES.map(Math.log), Math.log(x.value(px)))]);
  });

  function entries(now) {
    const items = now.bytes
      ? [["", "activations that grow with s"], ["other", "scores, which grow with s²"]]
      : [["", "products with weights"], ["other", "attention’s scores and sums"]];
    const words = items.join();
    if (words === listed) return;
    listed = words;
    key.replaceChildren(...items.map(([kind, text]) => html("li", {},
      svg("svg", { width: 26, height: 10, viewBox: "0 0 26 10" }, svg("path", { d: "M0 5H26",
        class: `ax-line ${kind ? "ax-other" : "ax-law"}`,
        style: kind ? "stroke: var(--ax-third); stroke-width: 3; stroke-dasharray: 9 4" : null })),
      text)));
  }

  return {
    picture: view.picture,
    key,
    paint(now) {
      const width = view.picture.parentElement.clientWidth;
      const height = Math.max(250, Math.min(360, 0.68 * width));
      const [left, right, foot] = [EDGES.left, width - EDGES.right, height - EDGES.bottom];
      view.resize(width, height, EDGES);
      const [from, to] = [SEQUENCES[0], SEQUENCES.at(-1)];
      x = logScale([from, to], [left, right]);
      const [low, high] = [Math.min(now.rising(from), now.flat) / 2, Math.max(now.rising(to), now.flat) * 2];
      const y = logScale([low, high], [foot, EDGES.top]);
      view.axes.replaceChildren();
      const rooms = width > 460 ? [64, 256, 1024, 4096, 16384, 65536, 2 ** 18, 2 ** 20]
        : [64, 1024, 16384, 2 ** 18];
      ticks(view.axes, "x", x, rooms.map((n) => [n, n < 1024 ? number(n) : `${n / 1024}k`]), [foot, EDGES.top]);
      const powers = [];
      for (let p = Math.ceil(Math.log10(low)); 10 ** p <= high; p += 1) powers.push(10 ** p);
      ticks(view.axes, "y", y, powers.map((p, i) => [p, i % 2 ? "" : scaled(p, now.unit)]), [left, right]);
      view.axes.append(
        svg("text", { class: "ax-title", x: (left + right) / 2, y: foot + 35, "text-anchor": "middle" },
          "positions s in a sequence"));
      set(flat, { d: `M${left} ${y.at(now.flat)}H${right}` });
      set(other, { d: curve(now.rising, [from, to], x, y, 24) });
      const at = x.at(clamp(now.half, from, to));
      set(meeting, { d: now.half <= to && now.half >= from ? `M${at} ${foot}V${EDGES.top}` : "" });
      const late = at > (left + right) / 2;
      set(note, { x: at + (late ? -8 : 8), y: foot - 10, "text-anchor": late ? "end" : "start" });
      write(note, `half at s = ${number(now.half)}`);
      const [px, py] = [x.at(now.s), y.at(now.rising(now.s))];
      set(drop, { d: `M${px} ${py}V${foot}` });
      set(handle, { transform: `translate(${px} ${py})` });
      entries(now);
    },
  };
}

// One bar: parts of a whole, with their shares in words.
function partsBar(kinds) {
  const bar = html("div", { class: "ax-bar" });
  const words = html("ul", { class: "ax-bar-key" });
  const rows = kinds.map((kind) => {
    const piece = bar.appendChild(html("span", { style: `background: ${PAINTS[kind]}` }));
    const text = html("span");
    words.append(html("li", {}, html("i", { style: `background: ${PAINTS[kind]}` }), text));
    return [kind, piece, text];
  });
  return {
    parts: [bar, words],
    paint(values, say) {
      const total = Object.values(values).reduce((sum, value) => sum + value, 0);
      for (const [kind, piece, text] of rows) {
        piece.style.flexGrow = values[kind] / total;
        write(text, `${kind} ${say(values[kind], total)}`);
      }
    },
  };
}

function render({ model, el }) {
  const first = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
  const put = (name) => (value) => model.set(name, value);
  const get = (name) => () => model.get(name);
  const over = (name, label, values, say = (n) => number(n)) =>
    slider({ label, say, values: () => values, get: get(name), put: put(name) });

  const measure = choices({ legend: "What of a token?", get: get("measure"), put: put("measure"),
    options: [["flops", "FLOPs to train on it"], ["bytes", "bytes it keeps"]] });
  const sliders = [
    over("hidden", "width <i>h</i>", WIDTHS),
    over("layers", "depth <i>L</i>", DEPTHS),
    over("sequence", "sequence <i>s</i>", SEQUENCES),
    over("tokens", "tokens in a batch", TOKENS),
  ];
  const reset = html("button", { type: "button", class: "ax-reset" }, "Reset");
  reset.addEventListener("click", () => {
    for (const [name, value] of Object.entries(first)) model.set(name, value);
  });
  const plot = tokenChart(model);
  const [big, unit] = [html("strong", { class: "ax-big" }), html("p", { class: "ax-soft" }, "parameters ")];
  unit.append(big);
  const list = html("dl", { class: "ax-facts" });
  const facts = {
    token: readout(list, "training, per token"),
    step: readout(list, "training, per batch"),
    thumb: readout(list, "6 × parameters is off by"),
    flops: readout(list, "FLOPs half at s ="),
    bytes: readout(list, "bytes half at s ="),
  };
  const spent = partsBar(["projections", "perceptron", "attention core", "head"]);
  const held = partsBar(["model state", "kept activations", "kept scores"]);
  const [spentTitle, heldTitle] = [html("p", { class: "ax-head" }), html("p", { class: "ax-head" })];
  const live = html("p", { class: "ax-live", role: "status", "aria-live": "polite" });
  const story = html("p", { class: "ax-story" },
    "Decoder-only transformer, perceptron four times as wide, heads of 64 features. Bytes: 16-bit "
    + "training with Adam, attention’s scores kept.");
  const body = html("div", { class: "ax-body" },
    html("div", { class: "ax-top" }, measure.row, html("div", { class: "ax-law-text", style: "min-height: 0" }, story)),
    html("div", { class: "ax-main" }, html("div", { class: "ax-plot" }, plot.picture, plot.key)),
    html("div", { class: "ax-controls" }, ...sliders.map(({ row }) => row),
      html("div", { class: "ax-last" }, reset)),
    html("div", { class: "ax-side" },
      html("div", {}, unit, list),
      html("div", {}, spentTitle, ...spent.parts),
      html("div", {}, heldTitle, ...held.parts)),
    html("div", { class: "ax-foot" }, live));
  const title = "Explorer: what a transformer asks for, over the length of its sequences";
  const root = html("section", { class: "ax", "aria-label": title }, body);

  function paint() {
    const now = read(model);
    measure.paint();
    for (const control of sliders) control.paint();
    plot.paint(now);
    write(big, scaled(now.P, "").trim());
    facts.token(scaled(now.total, "FLOP"));
    facts.step(scaled(now.total * now.t, "FLOP"));
    facts.thumb(signed(now.thumb));
    facts.flops(number(now.halfFlops));
    facts.bytes(number(now.halfBytes));
    write(spentTitle, "Where the FLOPs go");
    spent.paint(now.flops, (value, total) => percent(value / total, 2));
    const kept = {
      "model state": now.state,
      "kept activations": now.t * counts.keptLinear(now.L, now.h),
      "kept scores": now.t * counts.keptScores(now.L, now.h, now.s),
    };
    write(heldTitle, "What one worker holds");
    held.paint(kept, (value) => scaled(value, "B"));
  }

  function say() {
    const text = sentence(read(model));
    set(plot.picture, { "aria-label": "FLOPs or bytes of a token over the length of the sequence, "
      + `both axes logarithmic. ${text}` });
    return text;
  }

  return present({ model, el, root, names: NAMES, paint, say, live });
}

export default { render, formulas: counts };
