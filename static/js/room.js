/* Beside the form of a new deployment, [data-room]: says before it is sent that there is too little room. It knows what
   the rows [data-free] of the table of free GPUs tell, and which cluster each project has (#places). It never says that
   a deployment fits: which node takes a pod is the scheduler's to know. */
(() => {
  const hint = document.querySelector("[data-room]");
  if (!hint) return;
  const form = hint.closest("form");
  const places = JSON.parse(document.getElementById("places").textContent);
  const rows = [...document.querySelectorAll("[data-free]")].map((row) => ({ ...row.dataset }));
  const text = (name) => form.elements.namedItem(name)?.value.trim() ?? "";
  const most = (numbers) => Math.max(0, ...numbers);

  function shortage() {
    const [gpus, replicas] = [Number(text("gpus")), Number(text("replicas"))];
    const [cluster, type] = [places[text("project")], text("gpu_type")];
    const here = rows.filter((row) => row.cluster === cluster && row.resource === text("gpu_resource"));
    if (!(gpus > 0) || !here.length) return "";
    const fitting = here.filter((row) => !type || row.gpu === type);
    const what = type ? `GPUs of type ${type}` : "GPUs";
    if (!fitting.length) return `No node of ${cluster} has ${what}.`;
    if (fitting.some((row) => row.free === "")) return "";
    const largest = most(fitting.map((row) => Number(row.largest)));
    if (gpus > largest) return `No node of ${cluster} has ${gpus} free ${what} now, the most is ${largest}: replicas will wait.`;
    const free = fitting.reduce((sum, row) => sum + Number(row.free), 0);
    return gpus * replicas > free ? `${free} ${what} are free on ${cluster} now: some replicas will wait.` : "";
  }

  function say() {
    const said = shortage();
    if (hint.textContent !== said) hint.textContent = said;
    hint.hidden = !said;
  }

  form.addEventListener("input", say);
  say();
})();
