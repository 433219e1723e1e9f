/* data-dialog="id" opens that <dialog>. A link with data-ask fetches its page and shows that page's
   [data-ask-form] in a dialog; without script, or when the fetch fails, the link just leads there.
   Esc closes and focus returns (the browser's part).
   In a form with data-confirm-name="…" the submit button waits for that name in [name=confirm]. */
(() => {
  function open(event) {
    const opener = event.target.closest("[data-dialog]");
    const dialog = opener && document.getElementById(opener.dataset.dialog);
    if (!dialog?.showModal || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    opener.closest("details.menu")?.removeAttribute("open");
    dialog.showModal();
  }

  async function ask(event) {
    const link = event.target.closest("a[data-ask]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    link.closest("details.menu")?.removeAttribute("open");
    try {
      const answer = await fetch(link.href, { cache: "no-store", signal: AbortSignal.timeout(5000) });
      if (!answer.ok || answer.redirected) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      show(page.querySelector("h1").textContent.trim(), page.querySelector("[data-ask-form]"));
    } catch {
      location.assign(link.href);
    }
  }

  function show(title, form) {
    const dialog = document.getElementById("ask");
    form.classList.remove("card");
    dialog.querySelector("h2").textContent = title;
    dialog.querySelector("[data-body]").replaceChildren(document.importNode(form, true));
    dialog.querySelectorAll("[data-confirm-name]").forEach(check);
    dialog.showModal();
    dialog.querySelector("input:not([type=hidden]), select")?.select?.();
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
    const typed = form.querySelector("[name=confirm]")?.value.trim();
    const submit = form.querySelector("[type=submit]");
    submit.disabled = typed !== form.dataset.confirmName;
  }

  document.addEventListener("click", open);
  document.addEventListener("click", ask);
  document.addEventListener("click", close);
  document.addEventListener("input", (event) => {
    const form = event.target.closest("[data-confirm-name]");
    if (form) check(form);
  });
  document.querySelectorAll("[data-confirm-name]").forEach(check);

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
