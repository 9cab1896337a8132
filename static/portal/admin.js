// A large file takes a while: say so, and let the button be pressed once.
for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", () => {
    form.querySelector("progress").hidden = false;
    for (const button of form.querySelectorAll("input[type=submit]")) {
      button.disabled = true;
    }
  });
}
