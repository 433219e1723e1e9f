/* Light or dark, set before the first paint: loaded in <head> without defer.
   The system decides unless the reader chose; the choice stays in localStorage. */
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const order = ["system", "light", "dark"];

  function chosen() {
    try { return localStorage.getItem("theme") || "system"; } catch { return "system"; }
  }

  function apply() {
    const choice = chosen();
    root.dataset.bsTheme = choice === "system" ? (dark.matches ? "dark" : "light") : choice;
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.setAttribute("aria-label", `Colours: ${choice}. Change`);
      button.title = `Colours: ${choice}`;
    }
    root.dispatchEvent(new CustomEvent("llmdash:theme"));
  }

  function next() {
    const choice = order[(order.indexOf(chosen()) + 1) % order.length];
    try { localStorage.setItem("theme", choice); } catch { /* private window: this page only */ }
    apply();
  }

  apply();
  dark.addEventListener("change", apply);
  addEventListener("storage", apply);
  document.addEventListener("DOMContentLoaded", apply);
  document.addEventListener("click", (event) => event.target.closest("[data-theme-switch]") && next());
})();
