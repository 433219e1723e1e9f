/* Beside the form of a deployment. A row [data-free] of the table of free GPUs sets type and resource by its button
   [data-use]. [data-room] says before it is sent that there is too little room: it knows what these rows
   tell, and which cluster each project has (#places), of an edit the one of its own. It never says that a deployment fits: which node takes a pod is the
   scheduler's to know. */
(() => {
  for (const button of document.querySelectorAll("[data-use]")) {
    const { gpu, resource } = button.closest("[data-free]").dataset;
    button.disabled = false;
    button.addEventListener("click", () => {
      for (const [name, value] of Object.entries({ gpu_type: gpu, gpu_resource: resource })) {
        const field = document.getElementById(`id_${name}`);
        field.value = value;
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
    });
  }

  const hint = document.querySelector("[data-room]");
  if (!hint) return;
  const form = hint.closest("form");
  const places = JSON.parse(document.getElementById("places").textContent);
  const rows = [...document.querySelectorAll("[data-free]")].map((row) => ({ ...row.dataset }));
  const before = Number(form.elements.namedItem("gpus")?.defaultValue ?? 0); // of an edit: its own pods give them back
  const isEdit = !form.elements.namedItem("project");
  const text = (name) => form.elements.namedItem(name)?.value.trim() ?? "";
  const most = (numbers) => Math.max(0, ...numbers);

  function shortage() {
    const [gpus, replicas] = [Number(text("gpus")), Number(text("replicas"))];
    const [cluster, type] = [places[text("project")], text("gpu_type")];
    const all = rows.filter((row) => row.cluster === cluster);
    const here = all.filter((row) => row.resource === text("gpu_resource"));
    const others = all.filter((row) => type && row.gpu === type && !here.some((one) => one.gpu === type));
    if (gpus > 0 && others.length) return `GPUs of type ${type} are ${others[0].resource} on ${cluster}: set that as GPU resource.`;
    if (!(gpus > 0)) return "";
    if (text("runtime") === "vllm" && !text("image") && text("gpu_resource").startsWith("amd.com/"))
      return "vLLM's own image is built for NVIDIA GPUs: name an image that is built for ROCm.";
    if (!here.length) return "";
    const fitting = here.filter((row) => !type || row.gpu === type);
    const what = type ? `GPUs of type ${type}` : "GPUs";
    if (!fitting.length) return `No node of ${cluster} has ${what}.`;
    if (fitting.some((row) => row.free === "")) return "";
    const largest = most(fitting.map((row) => Number(row.largest)));
    if (gpus > largest + (isEdit ? before : 0)) return `No node of ${cluster} has ${gpus} free ${what} now, the most is ${largest}: replicas will wait.`;
    const free = fitting.reduce((sum, row) => sum + Number(row.free), 0);
    return !isEdit && gpus * replicas > free ? `${free} ${what} are free on ${cluster} now: some replicas will wait.` : "";
  }

  function say() {
    const said = shortage();
    if (hint.textContent !== said) hint.textContent = said;
    hint.hidden = !said;
  }

  form.addEventListener("input", say);
  say();
})();
