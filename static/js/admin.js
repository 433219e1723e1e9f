/* The admin pages' own script names an icon that is no element to be named; as a picture it may be. */
addEventListener("load", () => {
  for (const icon of document.querySelectorAll("span[aria-label]:not([role])")) icon.setAttribute("role", "img");
});
