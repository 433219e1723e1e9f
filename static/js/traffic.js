/* Fills the cells [data-traffic] of rows [data-live-row] in a [data-traffic-url] after the page is shown, and every
   PERIOD again, with a monitoring.traffic.Measured for each. Live updates leave filled cells alone. */
(() => {
  const PERIOD = 15000, SOON = 200, WIDTH = 56, HEIGHT = 18, HIGHEST = 16;
  const WORDS = ["no metrics", "no Prometheus", "no series"];
  let known = {}, timer = 0, busy = false;

  const rows = () => [...document.querySelectorAll("[data-traffic-url] tr[data-live-row]")];
  const idOf = (row) => row.dataset.liveRow;
  const span = (className, textContent, title = "") => Object.assign(document.createElement("span"), { className, textContent, title });

  function line(values) {
    const at = (value, i) => `${(i / (values.length - 1) * WIDTH).toFixed(1)} ${HEIGHT - 1 - value / HIGHEST * (HEIGHT - 2)}`;
    const path = values.map((value, i) => value == null ? "" : `${values[i - 1] == null ? "M" : "L"}${at(value, i)}`).join("");
    const box = document.createElement("span");
    box.innerHTML = `<svg class="spark" aria-hidden="true" width="${WIDTH}" height="${HEIGHT}"><path class="base" d="M0 ${HEIGHT - 1}H${WIDTH}"/><path d="${path}"/></svg>`;
    return box.firstChild;
  }

  function fill(row) {
    const said = known[idOf(row)];
    const [tokens, ttft] = row.querySelectorAll("[data-traffic]");
    if (!said || !tokens) return;
    const why = said.why || (said.tokens == null ? "no series now" : "");
    if (why === "stopped") return [tokens, ttft].forEach((cell) => cell.replaceChildren(span("unknown", "–", why)));
    if (why) {
      tokens.replaceChildren(span("unknown", said.why && !WORDS.includes(why) ? "unknown" : why, why));
      return ttft.replaceChildren(span("unknown", "–", why));
    }
    tokens.replaceChildren(line(said.line), span("beside", said.tokens));
    if (said.ttft == null) ttft.replaceChildren(span("unknown", "no traffic", "Nobody asked it anything in the last minute"));
    else ttft.textContent = `${said.ttft} s`;
  }

  async function ask() {
    const asked = rows().map(idOf).sort();
    if (busy || document.hidden || !asked.length) return plan(PERIOD);
    busy = true;
    try {
      const url = document.querySelector("[data-traffic-url]").dataset.trafficUrl;
      const headers = { "HX-Request": "true", Accept: "application/json" };
      const answer = await fetch(`${url}?${new URLSearchParams(asked.map((id) => ["pk", id]))}`, { headers, cache: "no-store", signal: AbortSignal.timeout(PERIOD) });
      if (answer.status === 401 || answer.redirected) return location.reload(); // signed out: the server asks
      if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
      const told = await answer.json();
      known = Object.fromEntries(asked.map((id, i) => [id, told[i]]).filter(([, said]) => said));
    } catch ({ message }) {
      const why = message.startsWith("The server") ? message : "The server did not answer.";
      known = Object.fromEntries(asked.map((id) => [id, { why }]));
    }
    busy = false;
    rows().forEach(fill);
    plan(PERIOD);
  }

  function plan(wait) {
    clearTimeout(timer);
    timer = setTimeout(ask, wait);
  }

  document.addEventListener("llmdash:swapped", () => {
    const fresh = rows().filter((row) => row.querySelector("[data-traffic]")?.textContent === "…");
    fresh.forEach(fill);
    if (fresh.some((row) => !known[idOf(row)])) plan(SOON);
  });
  document.addEventListener("visibilitychange", () => document.hidden || plan(SOON));
  ask();
})();
