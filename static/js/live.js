/* Live pages: stream.js tells what changed, the page fetches those fragments again.

   data-live="deployment:7 cluster:2"                 topics this element shows; "deployment" means all
   data-live-url="/deployments/7/_status/"            what to fetch again; the answer is morphed into it
   data-live-row="7"                                  on a row of a list: a change of another row may wait longer
   data-title="…"                                     inside a fragment: the page's new title
   data-deleting="qwen"                               inside a fragment: what it will have been once it is gone */
(() => {
  const BURST = 30, GAP = 100, SHARE = 1, ELSEWHERE = 3000, LIMIT = 15000, CAP = 5000;
  const headers = { "HX-Request": "true", "HX-Current-URL": location.href, Accept: "text/html" };
  const pending = new WeakMap();

  const fragments = () => [...document.querySelectorAll("[data-live][data-live-url]")];
  const topicsOf = (el) => el.dataset.live.split(/\s+/).filter(Boolean);

  /* Fetching: never two at once of a fragment, and after each at least GAP, and SHARE times as long as it took: a server
     that is busy is asked less often. */
  function want(el, id) {
    const job = pending.get(el) || { busy: false, wanted: false, timer: 0, due: 0, last: 0, gap: GAP };
    pending.set(el, job);
    job.wanted = true;
    const elsewhere = id && el.querySelector("[data-live-row]") && !el.querySelector(`[data-live-row="${CSS.escape(id)}"]`);
    plan(el, job, elsewhere ? ELSEWHERE : Math.max(BURST, job.last + job.gap - Date.now()));
  }

  function plan(el, job, wait) {
    const due = Date.now() + wait;
    if (job.busy || (job.timer && job.due <= due)) return;
    clearTimeout(job.timer);
    Object.assign(job, { due, timer: setTimeout(run, wait, el, job) });
  }

  async function run(el, job) {
    Object.assign(job, { timer: 0, busy: true, wanted: false, last: Date.now() });
    if (!el.isConnected || !el.dataset.liveUrl) return;
    let failed = false;
    try {
      const answer = await fetch(el.dataset.liveUrl, { headers, cache: "no-store", signal: AbortSignal.timeout(LIMIT) });
      if (answer.status === 401 || answer.redirected) return location.reload(); // signed out: the server asks
      if (answer.status === 404) return gone(el);
      if (!answer.ok) throw new Error(answer.status);
      await swap(el, await answer.text());
    } catch {
      failed = true;
    }
    el.toggleAttribute("data-live-failed", failed);
    const now = Date.now();
    Object.assign(job, { busy: false, gap: Math.min(CAP, Math.max(GAP, SHARE * (now - job.last))), last: now });
    if (failed || job.wanted) plan(el, job, failed ? CAP : job.gap);
  }

  async function swap(target, text) {
    await htmx.swap({ sourceElement: target, target, text, swap: "innerMorph" });
    const titled = target.querySelector("[data-title]");
    if (titled) document.title = titled.dataset.title;
    target.dispatchEvent(new CustomEvent("llmdash:swapped", { bubbles: true }));
  }

  function gone(el) {
    delete el.dataset.liveUrl;
    if (el.querySelector("[data-gone]")) return;
    const name = el.querySelector("[data-deleting]")?.dataset.deleting;
    const note = document.getElementById(name ? "deleted-note" : "gone-note")?.content.cloneNode(true);
    if (!note) return;
    if (name) {
      note.querySelector("[data-name]").textContent = name;
      document.title = `${name} was deleted · llmdash`;
      document.querySelector(".messages")?.remove(); // it says that it is being deleted
    }
    el.replaceChildren(note);
  }

  function changed({ detail: { topic, id } }) {
    for (const el of fragments()) {
      const topics = topicsOf(el);
      if (topics.includes(topic) || topics.includes(`${topic}:${id}`)) want(el, id && String(id));
    }
  }

  /* A cluster proved that its watches live: only its age on the page moves. */
  function seen({ detail: { id, at } }) {
    for (const el of document.querySelectorAll(`time[data-seen="${CSS.escape(id)}"]`)) {
      el.dateTime = at;
      el.title = "";
    }
  }

  /* What was heard of a cluster became too old to be trusted, or fresh again: the server says what that means. */
  function agedOf(event) {
    const el = event.target.closest("[data-live][data-live-url]");
    if (el) want(el);
  }

  document.addEventListener("llmdash:changed", changed);
  document.addEventListener("llmdash:seen", seen);
  document.addEventListener("llmdash:ask-anew", () => fragments().forEach((el) => want(el)));
  document.addEventListener("llmdash:aged", agedOf);
})();
