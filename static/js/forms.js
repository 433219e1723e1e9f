/* Forms:
   - a form is sent once: its buttons rest until the answer comes;
   - data-keep="key": typed text is kept for this tab and offered again after a reload;
   - data-show-when="runtime=vllm,sglang": shown while that field has one of these values;
   - data-mirror="replicas": repeats the field's value, for a summary beside the form;
   - data-product="replicas gpus": the product of these fields;
   - <datalist data-for="id_field">: suggestions for that field;
   - data-submit: a select that sends its form when changed. */
(() => {
  const field = (form, name) => form.elements.namedItem(name);

  function value(form, name, words = false) {
    const el = field(form, name);
    if (!el) return "";
    if (el.type === "checkbox") return el.checked ? "on" : "off";
    if (words && el.selectedOptions) return el.selectedOptions[0]?.textContent.trim() || "";
    return el.value;
  }

  /* Once */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "dialog" || form.matches("[hx-get], [hx-post]")) return;
    if ("busy" in form.dataset) { event.preventDefault(); return; }
    if (form.method === "get") return;
    form.dataset.busy = "";
    setTimeout(() => form.querySelectorAll("[type=submit]").forEach((button) => { button.disabled = true; }));
    if (form.dataset.keep) sessionStorage.setItem("sent", form.dataset.keep);
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("form[data-busy]")) {
      delete form.dataset.busy;
      form.querySelectorAll("[type=submit]").forEach((button) => { button.disabled = false; });
    }
  });

  /* Kept */
  const kept = (form) => [...form.elements].filter((el) =>
    el.name && !["hidden", "password", "file", "submit"].includes(el.type) && !/secret|token|password|kubeconfig|client_key/.test(el.name));

  function save(form) {
    const values = kept(form).map((el) => [el.name, el.type === "checkbox" ? el.checked : el.value]);
    sessionStorage.setItem(form.dataset.keep, JSON.stringify(values));
  }

  function restore(form) {
    const text = sessionStorage.getItem(form.dataset.keep);
    if (!text || "bound" in form.dataset) return;
    let changed = false;
    for (const [name, was] of JSON.parse(text)) {
      const el = field(form, name);
      if (!el || !kept(form).includes(el)) continue;
      const key = el.type === "checkbox" ? "checked" : "value";
      if (el[key] !== was) { el[key] = was; changed = true; }
    }
    const note = form.querySelector("[data-restored]");
    if (changed && note) note.hidden = false;
  }

  /* What was sent is forgotten on the page that it led to; sign-in, when the session had ended, is not that page. */
  function forget() {
    const key = sessionStorage.getItem("sent");
    if (!key || location.pathname.includes("/accounts/")) return;
    sessionStorage.removeItem("sent");
    if (![...document.forms].some((form) => form.dataset.keep === key)) sessionStorage.removeItem(key);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-discard]");
    if (!button) return;
    const form = button.closest("form");
    sessionStorage.removeItem(form.dataset.keep);
    form.reset();
    form.querySelector("[data-restored]").hidden = true;
    refresh(form);
  });

  /* Shown and mirrored */
  function refresh(form) {
    for (const el of form.querySelectorAll("[data-show-when]")) {
      el.hidden = !el.dataset.showWhen.split(/\s+/).every((rule) => {
        const [name, values] = rule.split("=");
        return !field(form, name) || values.split(",").includes(value(form, name));
      });
    }
    for (const el of form.querySelectorAll("[data-mirror]")) {
      if (!field(form, el.dataset.mirror)) continue;
      const text = value(form, el.dataset.mirror, true) || el.dataset.empty || "not set";
      if (el.textContent !== text) el.textContent = text;
    }
    for (const el of form.querySelectorAll("[data-product]")) {
      const names = el.dataset.product.split(" ");
      const product = names.reduce((all, name) => all * Number(value(form, name) || 0), 1);
      el.textContent = Number.isFinite(product) && names.every((name) => field(form, name).validity.valid) ? String(product) : "unknown";
    }
  }

  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!form) return;
    refresh(form);
    if (form.dataset.keep) save(form);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });

  for (const list of document.querySelectorAll("datalist[data-for]")) document.getElementById(list.dataset.for)?.setAttribute("list", list.id);
  forget();
  for (const form of document.forms) {
    if (form.dataset.keep) restore(form);
    refresh(form);
  }
  document.querySelector("[aria-invalid=true]")?.focus();
})();
