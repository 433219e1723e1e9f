/* data-dialog="id" opens that <dialog>. A link with data-ask fetches its page and shows that page's
   [data-ask-body] in a dialog; without script, or when the fetch fails, the link just leads there.
   The form in it is sent from the dialog: what is refused (422) or overtaken by somebody else (409) is shown there.
   When the session has ended the page leads to sign-in, and opens the dialog again with what was typed.
   Esc closes and focus returns (the browser's part).
   In a form with data-confirm-name="…" the submit button waits for that name in [name=confirm]. */
(() => {
  const UNSENT = "unsent"; // {path, values} of a form that found the session ended
  let typed = [];

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
      show(await answer.text());
    } catch {
      location.assign(link.href);
    }
  }

  function show(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    const body = document.importNode(page.querySelector("[data-ask-body]"), true);
    const dialog = document.getElementById("ask");
    const form = body.querySelector("form");
    form.classList.remove("card");
    dialog.querySelector("h2").textContent = page.querySelector("h1").textContent.trim();
    dialog.querySelector("[data-body]").replaceChildren(body);
    dialog.querySelectorAll("[data-confirm-name]").forEach(check);
    for (const [name, value] of typed) if (form.elements[name]) form.elements[name].value = value;
    typed = [];
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    const said = body.querySelector("[aria-invalid=true]") || body.querySelector("[role=alert][tabindex]");
    if (said) said.focus({ preventScroll: said.matches("[role=alert]") });
    else body.querySelector("input:not([type=hidden]), select")?.select?.();
  }

  /* forms.js disables the buttons; a second submit before that is stopped here. */
  async function send(event) {
    const form = event.target.closest("#ask form");
    if (!form) return;
    event.preventDefault();
    if ("sent" in form.dataset) return;
    form.dataset.sent = "";
    const body = new URLSearchParams(new FormData(form));
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Dialog": "true" } });
      const to = answer.headers.get("X-Location");
      if (to?.includes("/accounts/login/")) remember(form);
      if (to) location.assign(to);
      else if ([409, 422].includes(answer.status)) show(await answer.text());
      else throw new Error(answer.status);
    } catch {
      form.submit(); // the browser shows whatever the server says; the form's key makes it act once
    }
  }

  function remember(form) {
    const shown = [...form.elements].filter((el) => el.name && !["hidden", "submit", "password"].includes(el.type));
    const values = shown.map((el) => [el.name, el.value]);
    sessionStorage.setItem(UNSENT, JSON.stringify({ path: new URL(form.action).pathname, values }));
  }

  function resume() {
    const kept = JSON.parse(sessionStorage.getItem(UNSENT) || "null");
    const link = kept && [...document.querySelectorAll("a[data-ask]")].find((one) => one.pathname === kept.path);
    if (!link) return;
    sessionStorage.removeItem(UNSENT);
    typed = kept.values;
    link.click();
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
  document.addEventListener("submit", send);
  document.addEventListener("input", (event) => {
    const form = event.target.closest("[data-confirm-name]");
    if (form) check(form);
  });
  document.querySelectorAll("[data-confirm-name]").forEach(check);
  resume();

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
