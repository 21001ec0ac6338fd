// The button of the page for paper.

document.getElementById("print")?.addEventListener("click", () => print());
