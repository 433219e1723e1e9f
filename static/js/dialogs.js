/* data-dialog="id" on a link or button opens that <dialog>; without script the link's own
   page does the same work. Esc closes and focus returns (the browser's part).
   In a form with data-confirm-name="…" the submit button waits for that name. */
(() => {
  function open(event) {
    const opener = event.target.closest("[data-dialog]");
    const dialog = opener && document.getElementById(opener.dataset.dialog);
    if (!dialog?.showModal || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    opener.closest("details.menu")?.removeAttribute("open");
    dialog.showModal();
    dialog.querySelectorAll("[data-confirm-name]").forEach(check);
  }

  function close(event) {
    const dialog = event.target.closest("dialog");
    if (!dialog) return;
    if (event.target === dialog || event.target.closest("[data-close]")) { // the backdrop is the dialog itself
      event.preventDefault();
      dialog.close();
    }
  }

  function check(form) {
    const typed = form.querySelector("[data-confirm]")?.value.trim();
    const submit = form.querySelector("[type=submit]");
    submit.disabled = typed !== form.dataset.confirmName;
  }

  document.addEventListener("click", open);
  document.addEventListener("click", close);
  document.addEventListener("input", (event) => {
    const form = event.target.closest("[data-confirm-name]");
    if (form) check(form);
  });
  document.querySelectorAll("[data-confirm-name]").forEach(check);
  document.querySelectorAll("dialog[data-open]").forEach((dialog) => dialog.showModal());

  // Menus are <details>: a click elsewhere or Esc closes them.
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.removeAttribute("open");
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    }
  });
})();
