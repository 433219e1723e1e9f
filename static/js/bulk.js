/* Rows of a table that are chosen for a form: <form data-bulk> beside it, checkboxes <input data-pick form="…"> in it.
   Live updates bring new rows; what was chosen stays chosen as long as it is there. `x` chooses the row in focus. */
(() => {
  const bar = document.querySelector("form[data-bulk]");
  if (!bar) return;
  const chosen = new Set();
  const boxes = () => [...document.querySelectorAll("input[data-pick]")];
  const all = bar.querySelector("[data-pick-all]");

  function show() {
    const rows = boxes();
    for (const box of rows) box.checked = chosen.has(box.value);
    const picked = rows.filter((box) => box.checked).length;
    bar.querySelector("[data-picked]").textContent = picked ? `${picked} chosen` : "None chosen";
    for (const button of bar.querySelectorAll("button")) button.disabled = !picked;
    all.checked = rows.length > 0 && picked === rows.length;
    all.indeterminate = picked > 0 && picked < rows.length;
  }

  function pick(box, on) {
    if (on) chosen.add(box.value);
    else chosen.delete(box.value);
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick]")) pick(event.target, event.target.checked);
    else if (event.target === all) boxes().forEach((box) => pick(box, all.checked));
    else return;
    show();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "x" || event.ctrlKey || event.metaKey || event.altKey || !event.target.matches("[data-row]")) return;
    const box = event.target.closest("tr").querySelector("[data-pick]");
    if (!box) return;
    pick(box, !box.checked);
    show();
  });
  document.addEventListener("llmdash:swapped", show);
  addEventListener("pageshow", () => { boxes().filter((box) => box.checked).forEach((box) => pick(box, true)); show(); });
  bar.querySelector("[data-needs-script]").hidden = false;
})();
