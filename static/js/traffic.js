/* What each deployment of a list serves now: cells that are filled after the page is shown, and again every PERIOD.
   <table data-traffic-url="…"> holds rows <tr data-live-row="id"> with <td data-traffic="tokens"> and "ttft". The answer
   is a monitoring.traffic.Measured for each. Live updates leave the cells as they are, and bring new ones for new rows. */
(() => {
  const PERIOD = 15000, SOON = 200, LIMIT = 15000, WIDTH = 56, HEIGHT = 18, HIGHEST = 16;
  const WORDS = ["no metrics", "no Prometheus", "no series"];
  const headers = { "HX-Request": "true", Accept: "application/json" };
  let known = {}, timer = 0, busy = false;

  const rows = () => [...document.querySelectorAll("[data-traffic-url] tr[data-live-row]")];
  const idOf = (row) => row.dataset.liveRow;

  function line(values) {
    const at = (value, i) => `${(i / (values.length - 1) * WIDTH).toFixed(1)} ${HEIGHT - 1 - value / HIGHEST * (HEIGHT - 2)}`;
    const path = values.map((value, i) => value == null ? "" : `${values[i - 1] == null ? "M" : "L"}${at(value, i)}`).join("");
    const box = document.createElement("span");
    box.innerHTML = `<svg class="spark" aria-hidden="true" width="${WIDTH}" height="${HEIGHT}"><path class="base" d="M0 ${HEIGHT - 1}H${WIDTH}"/><path d="${path}"/></svg>`;
    return box.firstChild;
  }

  function word(cell, text, title = "") {
    const said = Object.assign(document.createElement("span"), { className: "unknown", textContent: text, title });
    cell.replaceChildren(said);
  }

  function fill(row) {
    const said = known[idOf(row)];
    const [tokens, ttft] = ["tokens", "ttft"].map((key) => row.querySelector(`[data-traffic="${key}"]`));
    if (!said || !tokens) return;
    if (said.why) {
      word(tokens, WORDS.includes(said.why) ? said.why : "unknown", said.why);
      return word(ttft, "–", said.why);
    }
    const number = Object.assign(document.createElement("span"), { className: "beside", textContent: said.tokens });
    if (said.tokens == null) word(tokens, "no series now", "Prometheus had them in the last 30 minutes and has none now");
    else tokens.replaceChildren(line(said.line), number);
    if (said.tokens == null) word(ttft, "–", "no series now");
    else if (said.ttft == null) word(ttft, "no traffic", "Nobody asked it anything in the last minute");
    else ttft.textContent = `${said.ttft} s`;
  }

  async function ask() {
    clearTimeout(timer);
    const asked = rows().map(idOf);
    if (busy || document.hidden || !asked.length) return plan(PERIOD);
    busy = true;
    try {
      const query = new URLSearchParams(asked.sort().map((id) => ["pk", id]));
      const url = document.querySelector("[data-traffic-url]").dataset.trafficUrl;
      const answer = await fetch(`${url}?${query}`, { headers, cache: "no-store", signal: AbortSignal.timeout(LIMIT) });
      if (answer.status === 401 || answer.redirected) { location.reload(); return; } // signed out: the server asks
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
