/* The connection to the server's event stream, one for all tabs of a person: a browser allows six connections to an
   HTTP/1.1 server, and a seventh tab would wait for ever. One tab holds the connection, by a lock that the browser gives
   to the next when it goes, and passes on what it hears. Where there are no locks (http to another machine) it holds it by
   a lease in the browser's storage. A hidden tab gives it back after 30 s.

   <html data-stream="/stream/" data-user="7">          where the stream is, and whose
   Tells this page by events of the document:
   llmdash:changed {topic, id}   llmdash:seen {id, at}   llmdash:ask-anew: what was missed is not replayed */
(() => {
  const SILENCE = 40000, POLL = 5000, CAP = 5000, STEADY = 2000, HIDDEN = 30000, SLEPT = 20000, LEASE = 6000;
  const { stream: url, user } = document.documentElement.dataset;
  const light = document.getElementById("live");
  const words = { live: "Live", connecting: "Connecting…", reconnecting: "Reconnecting…", polling: "Checking every 5 s" };
  if (!url || !document.querySelector("[data-live][data-live-url]")) return;

  const room = `llmdash ${url} ${user}`;
  const channel = window.BroadcastChannel && (navigator.locks || hasStorage()) ? new BroadcastChannel(room) : null;
  let known = false, source, heard = 0, cuts = 0, retry, poll, steady, hide, ticked = Date.now();
  let seat, leave; // the wait for the lock, and the way to give it back

  /* To this page, and to the other tabs. */
  function hear(type, data) {
    heard = Date.now();
    if (type === "state") show(data);
    else if (type !== "ping") document.dispatchEvent(new CustomEvent(`llmdash:${type}`, { detail: data }));
  }

  function say(type, data) {
    hear(type, data);
    channel?.postMessage({ type, data });
  }

  function show(told) {
    known ||= told === "live";
    const state = told === "reconnecting" && !known ? "connecting" : told; // nothing was cut yet
    if (!light || light.dataset.state === state) return;
    light.dataset.state = state;
    light.textContent = words[state];
  }

  /* Which tab holds the connection. */
  function join() {
    if (seat) return;
    heard = Date.now();
    seat = new AbortController();
    if (!channel) { connect(); return; }
    channel.postMessage({ type: "who" });
    const hold = () => new Promise((resolve) => { leave = resolve; connect(); });
    if (!navigator.locks) { lease(seat.signal, hold); return; }
    navigator.locks.request(room, { signal: seat.signal }, hold).catch(() => {}); // aborted: the tab was hidden
  }

  function hasStorage() {
    try { localStorage.removeItem("llmdash"); return true; } catch { return false; }
  }

  /* Two tabs that take it at the same moment both hold it, until the one that did not write last looks again. */
  function lease(signal, hold) {
    const me = `${Date.now()} ${Math.random()}`;
    const held = () => JSON.parse(localStorage.getItem(room) || '{"at": 0}');
    const look = () => {
      const { id, at } = held();
      if (id !== me && Date.now() - at < LEASE) {
        if (leave) { close(); clearTimeout(retry); leave = undefined; }
        return;
      }
      localStorage.setItem(room, JSON.stringify({ id: me, at: Date.now() }));
      if (!leave) hold();
    };
    const timer = setInterval(look, LEASE / 4);
    signal.addEventListener("abort", () => {
      clearInterval(timer);
      if (held().id === me) localStorage.removeItem(room);
    });
    look();
  }

  function part() {
    close();
    clearTimeout(retry);
    clearInterval(poll);
    poll = undefined;
    seat?.abort();
    leave?.();
    seat = leave = undefined;
  }

  const isHolder = () => !channel || Boolean(leave);

  channel?.addEventListener("message", ({ data: { type, data } }) => {
    if (type === "who") { if (leave) channel.postMessage({ type: "state", data: light?.dataset.state || "live" }); }
    else if (seat && !leave) hear(type, data);
  });

  /* The connection: ours to retry, since a browser gives up after a first refusal. */
  function connect() {
    clearTimeout(retry);
    close();
    heard = Date.now();
    source = new EventSource(`${url}?topics=deployment,cluster,project`);
    source.onopen = () => {
      say("ask-anew");
      steady = setTimeout(settle, STEADY);
      if (!poll) say("state", "live");
    };
    source.onerror = cut;
    source.addEventListener("ping", () => say("ping"));
    source.addEventListener("changed", (event) => say("changed", JSON.parse(event.data)));
    source.addEventListener("seen", (event) => say("seen", JSON.parse(event.data)));
    source.addEventListener("reset", () => say("ask-anew"));
  }

  function settle() {
    cuts = 0;
    clearInterval(poll);
    poll = undefined;
    say("state", "live");
  }

  function close() {
    clearTimeout(steady);
    if (source) { source.onerror = null; source.close(); source = undefined; }
  }

  /* A proxy that cuts streams: from the third cut on everything is asked for every 5 s, and the stream still tried. */
  function cut() {
    close();
    cuts += 1;
    if (cuts >= 3 && !poll) { poll = setInterval(say, POLL, "ask-anew"); say("ask-anew"); }
    say("state", poll ? "polling" : "reconnecting");
    clearTimeout(retry);
    retry = setTimeout(connect, Math.min(CAP, 500 * 2 ** (cuts - 1)) * (0.75 + Math.random() / 4));
  }

  function watch() {
    const now = Date.now(), slept = now - ticked > SLEPT, silent = now - heard > SILENCE;
    ticked = now;
    if (document.hidden || !seat) return;
    if (isHolder() && (slept || (source && silent))) { say("state", "reconnecting"); connect(); }
    else if (!isHolder() && (slept || silent)) { show("polling"); document.dispatchEvent(new CustomEvent("llmdash:ask-anew")); }
  }

  function visibility() {
    clearTimeout(hide);
    if (document.hidden) hide = setTimeout(part, HIDDEN);
    else if (seat) document.dispatchEvent(new CustomEvent("llmdash:ask-anew"));
    else join();
  }

  document.addEventListener("visibilitychange", visibility);
  addEventListener("pagehide", part);
  addEventListener("pageshow", (event) => event.persisted && join());
  addEventListener("online", () => isHolder() && seat && connect());
  setInterval(watch, 5000);
  document.addEventListener("DOMContentLoaded", () => { show("reconnecting"); join(); });
})();
