/* The log page: asks for the text again every 3 s while "Follow" is on and the page is seen,
   and stays at the end unless the reader scrolled up or selected text. */
(() => {
  const box = document.querySelector("[data-logs]");
  const follow = document.querySelector("[data-follow]");
  if (!box) return;
  let atEnd = true;

  const text = () => box.querySelector("pre.log");
  const selecting = () => !getSelection().isCollapsed && box.contains(getSelection().anchorNode);

  function end() {
    const pre = text();
    if (pre && atEnd) pre.scrollTop = pre.scrollHeight;
  }

  box.addEventListener("scroll", (event) => {
    const pre = event.target;
    if (pre.matches?.("pre.log")) atEnd = pre.scrollHeight - pre.scrollTop - pre.clientHeight < 24;
  }, true);
  document.addEventListener("htmx:after:swap", end);
  if (follow) setInterval(() => { if (follow.checked && !document.hidden && !selecting()) htmx.trigger(box, "refresh"); }, 3000);
  end();
})();
