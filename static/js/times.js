/* <time datetime="…"> in the reader's zone, UTC on hover. With data-age the text is a
   ticking age ("3 min ago"); with data-stale-after="45" it says so once it is older
   than that many seconds, and tells live.js with llmdash:aged, also when it is young
   again. Without script the server's UTC text stays. */
(() => {
  const GRACE = 3; // seconds in which the server's clock, by which it judges, has surely passed the limit, too
  const aged = new WeakMap();
  const written = (timeStyle) => new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle, hourCycle: "h23" });
  const clock = written("short"), exact = written("medium");
  const steps = [[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"], [Infinity, 86400, "d"]];
  // The reader's clock may be wrong; the server's, in <html data-now>, corrects it.
  const served = Date.parse(document.documentElement.dataset.now || "");
  const skew = Number.isNaN(served) ? 0 : served - performance.timeOrigin - performance.now();

  function age(seconds) {
    const [, size, unit] = steps.find(([limit]) => seconds < limit);
    return `${Math.floor(seconds / size)} ${unit}`;
  }

  function show(el) {
    const at = Date.parse(el.dateTime);
    if (Number.isNaN(at)) return;
    const seconds = Math.max(0, (Date.now() + (Math.abs(skew) > 2000 ? skew : 0) - at) / 1000);
    const limit = Number(el.dataset.staleAfter || Infinity);
    const text = "age" in el.dataset
      ? age(seconds) + (el.dataset.age === "bare" ? "" : " ago") + (seconds > limit ? ", stale" : "")
      : ("seconds" in el.dataset ? exact : clock).format(at);
    if (el.textContent !== text) el.textContent = text;
    el.toggleAttribute("data-stale", seconds > limit);
    const old = seconds > limit + GRACE;
    if (aged.has(el) && aged.get(el) !== old) el.dispatchEvent(new CustomEvent("llmdash:aged", { bubbles: true }));
    aged.set(el, old);
    if (!el.title) el.title = `${new Date(at).toISOString().replace("T", " ").slice(0, 19)} UTC`;
  }

  function all(root = document) {
    root.querySelectorAll("time[datetime]").forEach(show);
  }

  setInterval(() => document.hidden || document.querySelectorAll("time[data-age]").forEach(show), 1000);
  document.addEventListener("visibilitychange", () => all());
  document.addEventListener("htmx:after:swap", () => all());
  document.addEventListener("llmdash:swapped", (event) => all(event.target));
  all();
})();
