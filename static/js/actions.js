// Small things on every page: copy, theme, confirm, and what to say when the hub does not answer.

const byId = (id) => document.getElementById(id);
const announcer = byId("announcer");
const notice = byId("notice");

// Copying. Without https a browser has no navigator.clipboard, as on most home networks.

function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.readOnly = true;
  area.className = "visually-hidden";
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  const before = document.activeElement;
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  before?.focus({ preventScroll: true });
  return copied;
}

async function copy(text) {
  if (!navigator.clipboard?.writeText) return copyBySelection(text);
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function select(element) {
  getSelection().selectAllChildren(element);
}

function confirmCopied(button) {
  announcer.textContent = announcer.dataset.copied;
  button.dataset.done = "";
  setTimeout(() => delete button.dataset.done, 1600);
}

const sources = {
  "copy-message": async (button) => {
    const body = button.closest("article").querySelector(".message-body");
    const response = await fetch(button.dataset.url).catch(() => null);
    return [response?.ok ? await response.text() : body.innerText, body];
  },
  "copy-code": async (button) => {
    const code = button.closest("figure").querySelector("code");
    return [code.textContent.replace(/\n$/, ""), code];
  },
  "copy-link": async (link) => [link.href, link],
  "copy-field": async (button) => [byId(button.dataset.field).value, byId(button.dataset.field)],
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-action]");
  const source = sources[button?.dataset.action];
  if (!source) return;
  event.preventDefault(); // a link's way is for pages without scripts
  const [text, element] = await source(button);
  if (await copy(text)) return confirmCopied(button);
  select(element);
  tell(notice.dataset.copyFailed);
});

// The theme changes at once; the form tells the server.

document.addEventListener("submit", (event) => {
  if (event.target.dataset.action !== "theme" || !event.submitter) return;
  document.documentElement.dataset.theme = event.submitter.value;
  for (const button of document.querySelectorAll(".theme button")) {
    button.ariaPressed = String(button.value === event.submitter.value);
  }
});

// The buttons below a message share one form; each says where to and whether to ask first.

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.id !== "actions") return;
  ctx.request.action = ctx.request.submitter.getAttribute("formaction");
  ctx.confirm = ctx.request.submitter.dataset.confirm;
});

// Questions before something is deleted.

document.addEventListener("htmx:confirm", (event) => {
  const { ctx, issueRequest, dropRequest } = event.detail;
  if (!ctx.confirm) return;
  event.preventDefault();
  const dialog = byId("confirm");
  byId("confirm-text").textContent = ctx.confirm;
  dialog.returnValue = "";
  dialog.addEventListener("close", () => (dialog.returnValue === "yes" ? issueRequest() : dropRequest()), { once: true });
  dialog.showModal();
});

document.addEventListener("click", (event) => {
  if (event.target.closest('[data-action="show-keys"]')) byId("keys").showModal();
  if (event.target instanceof HTMLDialogElement) event.target.close(); // a click beside it
});

if (/Mac|iPhone|iPad/.test(navigator.platform)) {
  document.querySelectorAll("kbd.mod").forEach((key) => { key.textContent = "⌘"; });
}

// Trouble.

let hideNotice;

function tell(text) {
  clearTimeout(hideNotice);
  notice.textContent = text;
  notice.hidden = false;
  hideNotice = setTimeout(() => { notice.hidden = true; }, 8000);
}

const isWholePage = (text) => /^\s*<!doctype/i.test(text);

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const { raw, status } = ctx.response;
  if (!isWholePage(ctx.text)) return;
  if (raw.redirected && new URL(raw.url).pathname.startsWith("/accounts/")) {
    event.preventDefault();
    location.reload(); // signed out meanwhile; the reload leads to the sign-in page and back here
  } else if (ctx.select || ctx.target === document.body || ctx.sourceElement?.id === "composer") {
    return;
  } else if (status >= 400) {
    event.preventDefault();
    tell(notice.dataset.failed);
  } else if (raw.redirected && ctx.swap !== "none") {
    event.preventDefault();
    location.assign(raw.url);
  }
});

document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (ctx && ctx.sourceElement?.id !== "composer") tell(notice.dataset.offline);
});

// The quick switcher, fetched when it is first wanted.

const { notices, switcher } = document.body.dataset;

document.addEventListener("keydown", async (event) => {
  if (!switcher || event.key?.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
  event.preventDefault();
  let typed = ""; // letters that come before it is there
  const keep = (letter) => {
    if (letter.key.length !== 1 || letter.ctrlKey || letter.metaKey) return;
    letter.preventDefault();
    typed += letter.key;
  };
  document.addEventListener("keydown", keep, { capture: true });
  try {
    const { open } = await import(switcher);
    await open("/switcher/?dialog", () => typed);
  } finally {
    document.removeEventListener("keydown", keep, { capture: true });
  }
});

// Reading aloud, fetched when it is first wanted; some browsers cannot.

const { aloud } = document.body.dataset;
if (aloud && "speechSynthesis" in window) document.documentElement.dataset.speaks = "";

document.addEventListener("click", async (event) => {
  const button = event.target.closest('[data-action="aloud"]');
  if (!button) return;
  speechSynthesis.speak(new SpeechSynthesisUtterance("")); // iOS speaks only what a click began itself
  const { toggle } = await import(aloud);
  toggle(button.closest("article").id);
});

// Messages that models leave. Fetched only where the browser may show them, or may be asked to.

if (notices && (window.Notification?.permission === "granted" || byId("browser-notices") || byId("answer-notices"))) import(notices);
