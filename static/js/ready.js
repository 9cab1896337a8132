// Before anything is drawn: what needs JavaScript shows itself, what replaces it does not.
document.documentElement.classList.add("js");
