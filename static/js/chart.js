/* Charts: <figure data-chart data-unit="ms"> holds <div class="plot"> and <script type="application/json">
   {"range": [first, last], "x": [unix seconds], "series": [{"label": "p95", "values": [12.5, null]}]}; null is a gap, and
   range is the same for all charts of a page.
   uPlot is fetched when the first chart appears: <html data-uplot data-uplot-css>. */
(() => {
  const root = document.documentElement;
  const drawn = new Map();
  let library;

  function load() {
    return library ||= new Promise((resolve, reject) => {
      document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: root.dataset.uplotCss }));
      document.head.append(Object.assign(document.createElement("script"), { src: root.dataset.uplot, onload: resolve, onerror: reject }));
    });
  }

  const css = (name) => {
    const probe = document.createElement("i");
    probe.hidden = true;
    probe.className = name;
    document.body.append(probe);
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
  };

  // The reader's zone, and the same digits for everybody; a tick says the day too where it begins.
  const two = (number) => String(number).padStart(2, "0");
  const hm = (at) => `${two(at.getHours())}:${two(at.getMinutes())}`;
  const day = (at) => `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const STEPS = [1, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => minutes * 60); // no minute twice
  const tick = (at) => hm(at) === "00:00" ? `${day(at)}\n00:00` : hm(at);

  const said = (number, unit) => number == null ? "no data" : `${short(number)} ${unit}`;
  const short = (number) => new Intl.NumberFormat(undefined, { maximumSignificantDigits: 4, notation: Math.abs(number) >= 1e5 ? "compact" : "standard" }).format(number);

  function options(plot, data, unit) {
    const axis = { stroke: css("c-axis"), grid: { stroke: css("c-grid"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    return {
      width: plot.clientWidth, height: 170, padding: [8, 18, 0, 0],
      cursor: { sync: { key: "time" }, drag: { x: false, y: false } },
      scales: { x: { range: data.range }, y: { range: (u, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
      axes: [{ ...axis, incrs: STEPS, values: (u, ticks) => ticks.map((at) => tick(new Date(at * 1000))) }, { ...axis, size: 56, values: (u, ticks) => ticks.map((tick) => short(tick)) }],
      series: [{ label: "At", value: (u, at) => at == null ? "latest" : hm(new Date(at * 1000)) },
        ...data.series.map((line, i) => ({
          label: line.label, stroke: css(`c-${(i % 4) + 1}`), width: 1.75, spanGaps: false,
          value: (u, number, line, at) => said(at == null ? u.data[line].at(-1) : number, unit),
        }))],
    };
  }

  function draw(box, again) {
    const plot = box.querySelector(".plot");
    const text = box.querySelector("script[type='application/json']")?.textContent;
    const old = drawn.get(plot);
    if (!plot || !text || (old && old.text === text && !again)) return;
    const data = JSON.parse(text);
    old?.chart.destroy();
    plot.replaceChildren();
    const chart = new uPlot(options(plot, data, box.dataset.unit || ""), [data.x, ...data.series.map((line) => line.values)], plot);
    drawn.set(plot, { text, chart });
    sizes.observe(plot);
  }

  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const chart = drawn.get(target)?.chart;
      if (chart && target.clientWidth && chart.width !== target.clientWidth) chart.setSize({ width: target.clientWidth, height: 170 });
    }
  });

  async function all(again = false) {
    const boxes = document.querySelectorAll("[data-chart]");
    for (const [plot, { chart }] of drawn) if (!plot.isConnected) { chart.destroy(); drawn.delete(plot); }
    if (!boxes.length) return;
    await load();
    boxes.forEach((box) => draw(box, again));
  }

  root.addEventListener("llmdash:theme", () => all(true));
  document.addEventListener("htmx:after:swap", () => all());
  document.addEventListener("llmdash:swapped", () => all());
  all();
})();
