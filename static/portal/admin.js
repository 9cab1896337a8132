// A large file takes a while: say so, and let the button be pressed once.
for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", () => {
    form.querySelector("progress").hidden = false;
    for (const button of form.querySelectorAll("input[type=submit]")) {
      button.disabled = true;
    }
  });
}

// On a phone each row of a table is a list (admin.css): every cell needs the words of its head.
for (const table of document.querySelectorAll(".results table:not(.ln-stack)")) {
  const heads = [...table.querySelectorAll("thead th")].map((head) =>
    (head.querySelector(".text") ?? head).textContent.trim());
  for (const row of table.tBodies[0]?.rows ?? []) {
    for (const cell of row.querySelectorAll("td")) {
      cell.dataset.label = heads[cell.cellIndex] ?? "";
      const words = document.createElement("span");
      words.append(...cell.childNodes);
      cell.append(words);
    }
  }
  table.classList.add("ln-stack");
}
