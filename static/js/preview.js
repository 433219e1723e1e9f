/* Beside the form of a deployment: <details data-preview="/deployments/preview/"> shows what would be applied, fetched when
   it is opened and again while one types. Values of secrets are not sent. */
(() => {
  const box = document.querySelector("[data-preview]");
  const form = box?.closest("form");
  if (!box || !form) return;
  const out = box.querySelector("[data-out]");
  const WAIT = 600; // milliseconds without typing
  let timer, asking;
  box.hidden = false;

  function fields() {
    const data = new FormData(form);
    const names = (data.get("secret_env") ?? "").split("\n").map((line) => line.split("=")[0].trim()).filter(Boolean);
    data.set("secret_env", names.map((name) => `${name}=hidden`).join("\n"));
    return new URLSearchParams(data);
  }

  async function ask() {
    asking?.abort();
    asking = new AbortController();
    try {
      const answer = await fetch(box.dataset.preview, { method: "POST", body: fields(), signal: asking.signal });
      if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
      out.innerHTML = await answer.text();
    } catch (error) {
      if (error.name !== "AbortError") out.textContent = "It cannot be shown now. What you typed is still there.";
    }
  }

  const soon = () => { clearTimeout(timer); if (box.open) timer = setTimeout(ask, WAIT); };
  box.addEventListener("toggle", () => box.open && ask());
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
})();
