// What a screen reader must hear, what a printer must see, where the eye must go after an error.
const words = document.querySelector("script[data-unreached]")?.dataset ?? {};

function announce(text) {
  const place = document.getElementById("announce");
  if (!place || !text) return;
  place.textContent = "";
  // An emptied region is spoken again even when the same sentence comes twice.
  requestAnimationFrame(() => { place.textContent = text; });
}

document.addEventListener("htmx:afterSwap", (event) => {
  const arrived = event.detail.elt;
  const speaks = arrived.matches?.("[data-announce]") ? arrived : arrived.querySelector?.("[data-announce]");
  announce(speaks?.dataset.announce);
});
document.addEventListener("htmx:sendError", () => announce(words.unreached));
document.addEventListener("htmx:responseError", () => announce(words.refused));

// A list of errors is read first; a page that opens with one takes the reader there.
document.querySelector("[data-focus]")?.focus();

// What is folded on a screen is unfolded on paper, and folded again afterwards.
let unfolded = [];
addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll("main details:not([open])")];
  for (const one of unfolded) one.open = true;
});
addEventListener("afterprint", () => {
  for (const one of unfolded) one.open = false;
});
