// A form whose answer takes a while says that it is at work, and is sent once.
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-working]");
  if (!form) return;
  if (form.getAttribute("aria-busy") === "true") {
    event.preventDefault();
    return;
  }
  form.setAttribute("aria-busy", "true");
});

// Coming back to the page from the browser's memory: nothing is at work any more.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-working]")) form.removeAttribute("aria-busy");
});
