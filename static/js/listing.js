// Choosing conversations: all of the page at once, a range with Shift, and how many are chosen.

const boxes = [...document.querySelectorAll('#listing [name="conversation"]')];
const all = document.getElementById("choose-all");
const label = document.getElementById("chosen");
let last;

function count() {
  const chosen = boxes.filter((box) => box.checked).length;
  all.checked = chosen > 0 && chosen === boxes.length;
  all.indeterminate = chosen > 0 && chosen < boxes.length;
  label.textContent = chosen ? `${chosen} ${label.dataset.some}` : label.dataset.none;
}

if (all) {
  all.addEventListener("change", () => {
    boxes.forEach((box) => { box.checked = all.checked; });
    count();
  });
  for (const box of boxes) {
    box.addEventListener("click", (event) => {
      if (event.shiftKey && last) {
        const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
        boxes.slice(from, to + 1).forEach((other) => { other.checked = box.checked; });
      }
      last = box;
      count();
    });
  }
  count(); // a browser that goes back remembers the marks
}
