// Mounts an explorer on a page without a kernel. static.py puts this after the explorer, in one
// classic script: no module is fetched, so it works from file:// and from a USB stick.
//
// <div class="amdahl-explorer" data-explorer="speedup">
//   <script type="application/json">{"law": "amdahl", ...}</script>
//   ... what stands here without JavaScript ...
// </div>

// As much of the anywidget model as an explorer may use.
function pageModel(state) {
  const values = { ...state };
  const listeners = new Map();
  return {
    get: (name) => values[name],
    set(name, value) {
      if (Object.is(values[name], value)) return;
      values[name] = value;
      for (const act of [...(listeners.get(`change:${name}`) ?? [])]) act();
    },
    on(event, act) {
      listeners.set(event, [...(listeners.get(event) ?? []), act]);
    },
    off(event, act) {
      listeners.set(event, (listeners.get(event) ?? []).filter((other) => other !== act));
    },
    save_changes() {}, // a page keeps nothing
  };
}

function mount(place) {
  const state = place.querySelector('script[type="application/json"]');
  const stage = document.createElement("div");
  const fallback = [...place.childNodes];
  try {
    place.append(stage);
    const model = pageModel(JSON.parse(state.textContent));
    explorer.render({ model, el: stage });
    for (const node of fallback) node.remove();
  } catch (error) {
    stage.remove(); // the words that stood there stay
    console.error(`The explorer ${NAME} did not start:`, error);
  }
}

function mountAll() {
  document.querySelectorAll(`.amdahl-explorer[data-explorer="${NAME}"]`).forEach(mount);
}

const others = window.amdahlExplorers?.explorers;
window.amdahlExplorers = { explorers: { ...others, [NAME]: explorer }, pageModel };
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mountAll);
else mountAll();
