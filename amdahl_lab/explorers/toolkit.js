// What every explorer is drawn with. This file is not a module of its own: static.py sets it before
// each explorer, both for JupyterLab and for a page, so its functions are simply in scope there.
// Nothing here knows a law. STYLE (toolkit.css as a string) is defined in front of this text.

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";
let mounted = 0; // makes the ids and radio names of two explorers on one page differ

// ---- elements ---------------------------------------------------------------------------------

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : value);
  }
  return element;
}

function html(tag, attributes = {}, ...children) {
  const element = set(document.createElement(tag), attributes);
  element.append(...children);
  return element;
}

function svg(tag, attributes = {}, ...children) {
  const element = set(document.createElementNS(SVG_NAMESPACE, tag), attributes);
  element.append(...children);
  return element;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function newId(word) {
  mounted += 1;
  return `ax-${word}-${mounted}`;
}

// ---- time -------------------------------------------------------------------------------------

// Ask as often as you like: `paint` runs once, in the next frame.
function oncePerFrame(paint) {
  let waiting = 0;
  const ask = () => {
    waiting = waiting || requestAnimationFrame(() => {
      waiting = 0;
      paint();
    });
  };
  ask.cancel = () => cancelAnimationFrame(waiting);
  return ask;
}

// Runs `act` once the asking has paused for `milliseconds`.
function whenSettled(act, milliseconds = 350) {
  let timer = 0;
  const ask = () => {
    clearTimeout(timer);
    timer = setTimeout(act, milliseconds);
  };
  ask.cancel = () => clearTimeout(timer);
  return ask;
}

// ---- numbers ----------------------------------------------------------------------------------

const DIGITS = [1, 2, 3].map((n) => new Intl.NumberFormat("en", { maximumSignificantDigits: n }));
const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

function number(value, digits = 3) {
  return Math.abs(value) >= 100 ? WHOLE.format(value) : DIGITS[digits - 1].format(value);
}

function percent(fraction, digits = 3) {
  return `${number(100 * fraction, digits)}%`;
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

// Values for a slider that runs over powers of ten, even to the hand and round to the eye.
function decades(low, high, { zero = false, step = 0.1 } = {}) {
  const values = zero ? [0] : [];
  for (let power = low; power < high; power *= 10) {
    for (const [from, to, width] of [[1, 2, step / 2], [2, 5, step], [5, 10, 2 * step]]) {
      const count = Math.round((to - from) / width);
      for (let k = 0; k < count; k += 1) {
        values.push(Number(((from + k * width) * power).toPrecision(4)));
      }
    }
  }
  return [...values, high];
}

// Whole numbers 1..high: every one at first, then sixteen to a doubling.
function wholeNumbers(high) {
  const values = [];
  for (let n = 1; n <= high; n += 2 ** Math.max(0, Math.floor(Math.log2(n)) - 4)) values.push(n);
  return values;
}

function nearest(values, value) {
  let best = 0;
  values.forEach((candidate, i) => {
    if (Math.abs(candidate - value) < Math.abs(values[best] - value)) best = i;
  });
  return best;
}

// ---- controls ---------------------------------------------------------------------------------

// A native range input over a table of values. `say(value)` gives the value with its unit.
function slider({ label, values, say, get, put }) {
  const id = newId("slider");
  const input = html("input", { type: "range", id, min: 0, step: 1 });
  // An output is a live region: spoken at every step of a drag, beside aria-valuetext, if not hidden.
  const shown = html("output", { for: id, class: "ax-value", "aria-hidden": "true" });
  const title = html("label", { for: id, class: "ax-label" });
  title.innerHTML = label; // our own text, with <i> around symbols
  const row = html("div", { class: "ax-slider" }, title, shown, input);
  input.addEventListener("input", () => put(values()[Number(input.value)]));
  return {
    row,
    paint() {
      const table = values();
      const at = nearest(table, get());
      set(input, { max: table.length - 1, "aria-valuetext": say(get()) });
      if (Number(input.value) !== at) input.value = at;
      input.style.setProperty("--ax-filled", `${(100 * at) / (table.length - 1)}%`);
      write(shown, say(get()));
    },
  };
}

// A row of radio buttons. `options` is [[value, label], ...].
function choices({ legend, options, get, put, quiet = false }) {
  const name = newId("choice");
  const title = html("legend", {}, legend);
  const rail = html("div", { class: "ax-rail" });
  const buttons = options.map(([value, label]) => {
    const input = html("input", { type: "radio", name, value });
    input.addEventListener("change", () => put(value));
    rail.append(html("label", {}, input, html("span", {}, label)));
    return [value, input];
  });
  return {
    row: html("fieldset", { class: quiet ? "ax-choices ax-quiet" : "ax-choices" }, title, rail),
    paint() {
      for (const [value, input] of buttons) input.checked = value === get();
    },
  };
}

// A term and its value; returns the function that writes the value.
function readout(list, term, title) {
  const value = html("dd");
  list.append(html("div", { title }, html("dt", {}, term), value));
  return (text) => write(value, text);
}

// ---- charts -----------------------------------------------------------------------------------

// Both ways of a scale: at(value) in pixels, and value(pixel).
function logScale([low, high], [from, to]) {
  const perFold = (to - from) / Math.log(high / low);
  return {
    at: (value) => from + perFold * Math.log(value / low),
    value: (pixel) => low * Math.exp((pixel - from) / perFold),
  };
}

function linearScale([low, high], [from, to]) {
  return {
    at: (value) => from + ((value - low) * (to - from)) / (high - low),
    value: (pixel) => low + ((pixel - from) * (high - low)) / (to - from),
  };
}

function powersOfTwo(high) {
  return Array.from({ length: Math.floor(Math.log2(high)) + 1 }, (_, k) => 2 ** k);
}

// An svg path through `law(x)` at `count` places, evenly spaced on a log axis.
function curve(law, [low, high], x, y, count = 96) {
  let path = "";
  for (let k = 0; k <= count; k += 1) {
    const at = low * (high / low) ** (k / count);
    path += `${k ? "L" : "M"}${x.at(at).toFixed(1)} ${y.at(law(at)).toFixed(1)}`;
  }
  return path;
}

// An empty chart: layers to draw in, from back to front, and a frame that clips `lines`.
function chart(className) {
  const clip = newId("clip");
  const frame = svg("rect");
  const layers = {
    axes: svg("g", { class: "ax-axes" }),
    lines: svg("g", { "clip-path": `url(#${clip})` }),
    marks: svg("g"),
  };
  const picture = svg(
    "svg",
    { class: className, role: "img" },
    svg("defs", {}, svg("clipPath", { id: clip }, frame)),
    ...Object.values(layers),
  );
  return {
    picture,
    ...layers,
    resize(width, height, { left, right, top, bottom }) {
      set(picture, { width, height, viewBox: `0 0 ${width} ${height}` });
      set(frame, { x: left, y: top, width: width - left - right, height: height - top - bottom });
    },
  };
}

// Grid lines with labels. `ticks` is [[value, label or ""], ...]; `side` is "x" or "y".
function ticks(layer, side, scale, values, [near, far]) {
  for (const [value, label] of values) {
    const at = scale.at(value).toFixed(1);
    const line = side === "x"
      ? { x1: at, x2: at, y1: near, y2: far }
      : { y1: at, y2: at, x1: near, x2: far };
    const place = side === "x"
      ? { x: at, y: near + 16, "text-anchor": "middle" }
      : { x: near - 7, y: Number(at) + 4, "text-anchor": "end" };
    layer.append(svg("line", line));
    if (label) layer.append(svg("text", place, label));
  }
}

// A measured value with its interval, in ink; hollow where `hollow` says so.
function measuredMark({ hollow = false } = {}) {
  const bar = svg("path", { class: "ax-interval" });
  const dot = svg("circle", { class: hollow ? "ax-dot ax-hollow" : "ax-dot", r: 3.8 });
  return {
    mark: svg("g", {}, bar, dot),
    place(x, y, low, high) {
      set(dot, { cx: x, cy: y });
      set(bar, { d: `M${x} ${low}V${high}M${x - 4} ${low}h8M${x - 4} ${high}h8` });
    },
  };
}

// Follows a pointer that grabbed `target`: `move(x, y)` gets pixels of `picture`.
function draggable(target, picture, move) {
  const inside = (event) => {
    const box = picture.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  target.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    target.setPointerCapture(event.pointerId);
    target.classList.add("ax-held");
    move(...inside(event));
  });
  target.addEventListener("pointermove", (event) => {
    if (target.hasPointerCapture(event.pointerId)) move(...inside(event));
  });
  target.addEventListener("lostpointercapture", () => target.classList.remove("ax-held"));
}

// ---- the whole ----------------------------------------------------------------------------------

// Puts `root` and the style on the page, listens to `names` of the model, and keeps the three
// promises: one repaint a frame, a word to the screen reader when things have settled, and the
// model's values saved then. Returns the function that takes it all down again.
function present({ model, el, root, names, paint, say, live }) {
  write(live, say());
  el.append(html("style", {}, STYLE), root);
  const settled = whenSettled(() => {
    write(live, say());
    model.save_changes();
  });
  const ask = oncePerFrame(() => {
    paint();
    settled();
  });
  const events = names.map((name) => `change:${name}`);
  for (const event of events) model.on(event, ask);
  const widths = new ResizeObserver(ask);
  widths.observe(root);
  paint();
  return () => {
    widths.disconnect();
    ask.cancel();
    settled.cancel();
    for (const event of events) model.off(event, ask);
    el.replaceChildren();
  };
}
