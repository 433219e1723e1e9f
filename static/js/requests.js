/* htmx requests: the CSRF header, the way to sign-in, and failures that are seen.
   An element with data-failed="Charts could not be loaded" says so in its own place. */
(() => {
  document.addEventListener("htmx:config:request", (event) => {
    const { request } = event.detail.ctx;
    const token = document.documentElement.dataset.csrf;
    if (token && !["GET", "HEAD"].includes(request.method.toUpperCase())) request.headers["X-CSRFToken"] = token;
  });

  document.addEventListener("htmx:response:error", (event) => {
    const { ctx } = event.detail;
    if (ctx.response.status === 401) location.reload();
    else failed(ctx, `the server answered ${ctx.response.status}`);
  });

  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx) failed(event.detail.ctx, "the server did not answer");
  });

  function failed(ctx, why) {
    const el = ctx.sourceElement.closest?.("[data-failed]");
    const template = document.getElementById("failed-note");
    if (!el || !template) return;
    const note = template.content.cloneNode(true);
    note.querySelector("[data-text]").textContent = `${el.dataset.failed}: ${why}.`;
    note.querySelector("button").addEventListener("click", () => htmx.trigger(el, "retry"));
    (document.querySelector(el.getAttribute("hx-target")) || el).replaceChildren(note);
  }
})();
