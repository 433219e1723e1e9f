/* What went well is said for a while: [data-passing] goes when a live part tells that all is settled ([data-settled]),
   or after 12 s; never while somebody reads it (hover, focus) or the tab is hidden. Mistakes have no such mark. */
(() => {
  const LEAST = 4000, MOST = 12000, AGAIN = 2000, FADE = 300;
  const born = Date.now();
  let timer, settled = false;

  function pass() {
    const notes = [...document.querySelectorAll("[data-passing]")];
    const read = document.hidden || notes.some((note) => note.matches(":hover, :focus-within"));
    if (read) { plan(AGAIN); return; }
    for (const note of notes) {
      note.dataset.passing = "now"; // css fades it, unless less motion is wished
      setTimeout(() => note.remove(), matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : FADE);
    }
  }

  function plan(wait) {
    clearTimeout(timer);
    timer = setTimeout(pass, wait);
  }

  if (!document.querySelector("[data-passing]")) return;
  plan(MOST);
  document.addEventListener("llmdash:swapped", (event) => {
    if (settled || !event.target.querySelector("[data-settled]")) return;
    settled = true;
    plan(Math.max(0, born + LEAST - Date.now()));
  });
})();
