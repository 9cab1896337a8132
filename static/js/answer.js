// The answer switch. A click answers at once. The arrow keys of a radio group also change what is
// checked, and an answer given in passing would be a decision nobody made: from the keyboard the
// choice waits for Enter or Save.
function say(form, text, wrong = false) {
  const said = form.querySelector(".said");
  said.textContent = text ?? "";
  said.classList.toggle("wrong", wrong);
}

function rest(form) {
  form.removeAttribute("aria-busy");
  delete form.dataset.unsaved;
}

let pointed = false;
document.addEventListener("pointerdown", () => { pointed = true; }, true);
document.addEventListener("keydown", (event) => {
  pointed = false;
  // Space on a checked-by-arrow answer means the same as Enter: this one.
  const form = event.target.closest?.("form[data-answer]");
  if (form && event.key === " " && "unsaved" in form.dataset) {
    event.preventDefault();
    form.requestSubmit();
  }
}, true);

document.addEventListener("click", (event) => {
  const form = event.target.closest?.("form[data-answer]");
  if (form?.getAttribute("aria-busy") === "true") event.preventDefault();
}, true);

document.addEventListener("change", (event) => {
  const form = event.target.closest?.("form[data-answer]");
  if (!form) return;
  if (pointed) {
    form.requestSubmit();
  } else if (event.target.defaultChecked) {
    delete form.dataset.unsaved;
    say(form, "");
  } else {
    form.dataset.unsaved = "";
    say(form, form.dataset.unsavedText);
  }
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.target.closest?.("form[data-answer]");
  if (!form) return;
  form.setAttribute("aria-busy", "true");
  say(form, form.dataset.saving);
});

// What was not saved is not shown as if it were: the switch goes back to the answer that holds.
for (const failure of ["htmx:sendError", "htmx:responseError", "htmx:timeout", "htmx:swapError"]) {
  document.addEventListener(failure, (event) => {
    const form = event.target.closest?.("form[data-answer]");
    if (!form) return;
    form.reset();
    rest(form);
    say(form, form.dataset.failed, true);
  });
}

// Coming back to a page from the browser's memory: again, only what was saved.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-answer]")) {
    form.reset();
    rest(form);
    say(form, "");
  }
});
