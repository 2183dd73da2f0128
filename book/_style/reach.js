// What scrolls sideways can be reached by keyboard; the theme sees to code, not to formulas.
(() => {
  const wide = () => {
    for (const box of document.querySelectorAll("mjx-container[display=true], .pst-scrollable-table-container")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  window.addEventListener("load", () => {
    wide();
    window.MathJax?.startup?.promise?.then(wide);
  });
  window.addEventListener("resize", wide);
})();
