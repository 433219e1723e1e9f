/* `/` search, `?` this list, j/k or arrows along the rows of a table, Enter opens;
   an element with data-key="n" is pressed by that key. */
(() => {
  const typing = (el) => el.closest("input, textarea, select, [contenteditable], dialog[open]");

  function rows() {
    return [...document.querySelectorAll("[data-row]")].filter((el) => el.offsetParent);
  }

  function move(step) {
    const all = rows();
    const at = all.indexOf(document.activeElement);
    const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
    return Boolean(next);
  }

  function press(key) {
    if (key === "/") { const box = document.querySelector("[data-search]"); box?.focus(); box?.select(); return Boolean(box); }
    if (key === "?") { document.getElementById("keys")?.showModal(); return true; }
    if (key === "j") return move(1);
    if (key === "k") return move(-1);
    const target = /^[a-z]$/.test(key) && document.querySelector(`[data-key="${key}"]`);
    if (target) target.click();
    return Boolean(target);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target)) {
      if (event.key === "Escape" && event.target.matches("[data-search]")) event.target.blur();
      return;
    }
    const onRow = event.target.matches("[data-row]");
    const nowhere = event.target === document.body && document.querySelector("[data-row]");
    if ((onRow || nowhere) && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (press(event.key)) event.preventDefault();
  });
})();
