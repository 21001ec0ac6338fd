// Files of the next question: shown before they are sent, given back when they are refused.

const byId = (id) => document.getElementById(id);
const isComposer = (ctx) => ctx?.sourceElement?.id === "composer";
const place = () => byId("thread")?.dataset.conversation ?? "new";

let files = []; // File objects; a new form gets them again
let sent = []; // on their way
let home = place(); // the conversation that they are for

export function add(fresh) {
  files = [...files, ...fresh];
  home = place();
  show();
}

function show() {
  const transfer = new DataTransfer();
  files.forEach((file) => transfer.items.add(file));
  byId("composer-files").files = transfer.files;
  byId("composer-camera").value = "";
  byId("composer-attached").replaceChildren(...files.map(shown));
}

function shown(file) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  const label = `${byId("composer-attached").dataset.remove}: ${file.name}`;
  button.type = "button";
  button.className = "icon-button";
  button.ariaLabel = button.title = label;
  button.append(icon("x"));
  button.addEventListener("click", () => remove(file));
  item.append(face(file), button);
  return item;
}

function face(file) {
  if (file.type.startsWith("image/")) return picture(file);
  const name = document.createElement("span");
  name.className = "document";
  name.textContent = file.name;
  return name;
}

function picture(file) {
  const image = new Image();
  image.alt = image.title = file.name;
  image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
  image.src = URL.createObjectURL(file);
  return image;
}

function icon(name) {
  const use = document.querySelector("#composer .attach use").cloneNode();
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${name}`));
  svg.append(use);
  return svg;
}

function remove(file) {
  const at = files.indexOf(file);
  files = files.filter((other) => other !== file);
  show();
  const buttons = byId("composer-attached").querySelectorAll("button");
  (buttons[Math.min(at, buttons.length - 1)] ?? byId("composer-text")).focus();
}

function echo() {
  const body = document.querySelector('#messages > [data-status="pending"] .message-body');
  const list = document.createElement("ul");
  list.className = "attached";
  list.append(...files.map((file) => {
    const item = document.createElement("li");
    item.append(face(file));
    return item;
  }));
  body?.before(list);
}

function giveBack() {
  files = [...sent, ...files];
  sent = [];
  show();
}

// By now the request holds them.
document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (!isComposer(ctx) || !files.length) return;
  echo();
  [sent, files] = [files, []];
  show();
});

document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
  if (!isComposer(ctx)) return;
  if (ctx.response.status >= 400) giveBack();
  sent = [];
});

document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (isComposer(ctx)) giveBack();
});

// Another form stands there: the same conversation's gets them, another's does not.
document.addEventListener("hub:changed", () => {
  if (!byId("composer-files") || byId("composer-files").files.length === files.length) return;
  if (home !== place()) files = [];
  show();
});
