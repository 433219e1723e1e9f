/* <button data-copy="text"> or <button data-copy-from="id">: copies, and says so. */
(() => {
  const said = document.getElementById("said");

  async function put(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    const box = document.createElement("textarea"); // plain http on another machine has no clipboard API
    box.value = text;
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-from]");
    if (!button) return;
    const from = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
    try {
      await put(from ? from.textContent : button.dataset.copy);
    } catch {
      if (said) said.textContent = "Could not copy";
      return;
    }
    button.dataset.done = "";
    if (said) said.textContent = "Copied";
    setTimeout(() => { delete button.dataset.done; if (said) said.textContent = ""; }, 1500);
  });
})();
