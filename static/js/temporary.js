// A temporary conversation: what is typed goes over the socket, and nothing is kept in the browser.

const byId = (id) => document.getElementById(id);
const touch = matchMedia("(hover: none) and (pointer: coarse)");
const form = byId("temporary-composer");
const field = byId("composer-text");
const isAnswering = () => document.querySelector('.messages > [data-status="running"]') !== null;

field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229 || touch.matches) return;
  event.preventDefault();
  form.requestSubmit();
});

form.addEventListener("submit", (event) => {
  if (field.value.trim() && !isAnswering()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, { capture: true });

document.addEventListener("htmx:ws:after:message:outgoing", ({ target }) => {
  if (target === form) field.value = "";
});

// A question that the hub refused comes back into its field.
new MutationObserver(() => {
  const text = byId("given-back").textContent;
  if (text && !field.value) field.value = text;
}).observe(byId("given-back"), { childList: true });

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const stop = document.querySelector('[data-action="stop"]');
  if (stop.checkVisibility()) stop.click();
});
