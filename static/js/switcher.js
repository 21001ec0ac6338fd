// The quick switcher: a few letters and Enter lead anywhere. Loaded when it is first wanted.

const LATER = 120; // ms after the last letter
let dialog;
let timer;
let asked = 0;

const list = () => dialog.querySelector("#switcher-list");
const field = () => dialog.querySelector("#switcher-text");
const options = () => [...list().querySelectorAll('[role="option"]')];
const selected = () => list().querySelector('[aria-selected="true"]');
const isChat = () => document.querySelector("main.main") !== null;

export async function open(url, typed) {
  dialog ??= await fetched(url);
  if (!dialog || document.querySelector("dialog[open]")) return;
  dialog.showModal();
  field().value = typed();
  look();
}

async function fetched(url) {
  const response = await fetch(url).catch(() => null);
  if (!response?.ok || response.redirected) return undefined;
  const template = document.createElement("template");
  template.innerHTML = await response.text();
  document.head.append(template.content.querySelector("link"));
  const made = template.content.querySelector("dialog");
  document.body.append(made);
  made.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, LATER);
  });
  made.addEventListener("keydown", move);
  made.addEventListener("click", (event) => {
    if (event.target.closest('[role="option"]') && !event.ctrlKey && !event.metaKey) made.close();
  });
  made.addEventListener("pointermove", (event) => choose(event.target.closest('[role="option"]')));
  return made;
}

async function look() {
  const turn = ++asked;
  const query = new URLSearchParams({ q: field().value });
  const response = await fetch(`${list().dataset.url}?${query}`).catch(() => null);
  if (!response?.ok || turn !== asked) return; // a later letter was faster
  list().innerHTML = await response.text();
  if (isChat()) htmx.process(list());
  options().forEach((option, index) => { option.id = `switch-${index}`; });
  if (options().length) return choose(options()[0]);
  const none = document.createElement("p");
  none.className = "switcher-none";
  none.role = "status";
  none.textContent = list().dataset.none;
  list().replaceChildren(none);
}

function choose(option) {
  if (!option) return;
  selected()?.setAttribute("aria-selected", "false");
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  field().setAttribute("aria-activedescendant", option.id);
}

function move(event) {
  if (event.isComposing) return;
  const all = options();
  const at = all.indexOf(selected());
  const to = { ArrowDown: (at + 1) % all.length, ArrowUp: (at - 1 + all.length) % all.length, PageDown: all.length - 1, PageUp: 0 }[event.key];
  if (event.key === "Escape") { // which empties a field before it closes anything
    event.preventDefault();
    dialog.close();
  } else if (event.key === "Enter") {
    event.preventDefault();
    selected()?.click();
  } else if (to !== undefined && all.length) {
    event.preventDefault();
    choose(all[to]);
  }
}
