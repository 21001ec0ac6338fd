// The message field: Enter sends, drafts survive, the question is in the thread before the network answers.

const byId = (id) => document.getElementById(id);
const touch = matchMedia("(hover: none) and (pointer: coarse)");
const growsByItself = CSS.supports("field-sizing", "content");
const prepared = new WeakSet();
let sending = null; // {text, draftKey}

const isComposer = (ctx) => ctx?.sourceElement?.id === "composer";
const isAnswering = () => document.querySelector('.messages > [data-status="running"], .messages > [data-status="queued"]') !== null;
const draftKey = () => `draft:${document.body.dataset.user}:${byId("thread")?.dataset.conversation ?? "new"}`;

// A browser may refuse storage altogether.
const storage = {
  get: (key) => { try { return localStorage.getItem(key) ?? ""; } catch { return ""; } },
  set: (key, text) => { try { text ? localStorage.setItem(key, text) : localStorage.removeItem(key); } catch { /* no draft, then */ } },
};

function prepare() {
  const form = byId("composer");
  const field = byId("composer-text");
  if (!form || prepared.has(form)) return;
  const isNewPage = prepared.has(document);
  prepared.add(form).add(document);
  form.noValidate = true; // an empty field is ignored, not complained about
  const unsaved = storage.get(draftKey()); // the hub has not got it, so it is newer
  if (unsaved && (!field.value || "saved" in field.dataset)) {
    field.value = unsaved;
    keep(unsaved);
  }
  grow(field);
  field.setSelectionRange(field.value.length, field.value.length);
  if (isNewPage && !touch.matches) field.focus({ preventScroll: true });
}

function grow(field) {
  if (growsByItself) return;
  field.style.blockSize = "auto";
  field.style.blockSize = `${field.scrollHeight}px`;
}

function fill(text) {
  const field = byId("composer-text");
  field.value = text;
  grow(field);
  keep(text);
}

// In the browser until the hub has it.
function keep(text) {
  const place = draftKey();
  const { value: form } = byId("composer-key");
  storage.set(place, text);
  withDrafts((drafts, url) => drafts.keep(url, form, text, (saved) => { if (storage.get(place) === saved) storage.set(place, ""); }));
}

async function withDrafts(work) {
  const { draft, drafts } = byId("composer").dataset;
  if (draft) work(await import(drafts), draft);
}

function complain(text, kind = "error") {
  byId("composer-error").dataset.kind = kind;
  byId("composer-error").textContent = text;
}

function echo(text) {
  const to = byId("composer-to")?.value;
  for (const messages of document.querySelectorAll(to ? `#messages-${to}` : ".messages")) {
    const article = byId("echo").content.firstElementChild.cloneNode(true);
    article.querySelector(".message-body").textContent = text;
    messages.append(article);
    messages.closest(".scroller").scrollTop = 0;
  }
}

function forgetEcho() {
  document.querySelectorAll('.messages > [data-status="pending"]').forEach((article) => article.remove());
}

function giveBack(error) {
  forgetEcho();
  if (!sending) return;
  const typedMeanwhile = byId("composer-text").value;
  fill(typedMeanwhile ? `${sending.text}\n${typedMeanwhile}` : sending.text);
  sending = null;
  complain(error);
}

document.addEventListener("input", (event) => {
  if (event.target.id !== "composer-text") return;
  grow(event.target);
  keep(event.target.value);
  complain("");
  weigh(event.target.value);
});

// A long message is counted into the meter; what does that comes with the first one.

const LONG = 300; // letters; less is not worth a look
let meter;

async function weigh(text) {
  const { script } = byId("meter")?.dataset ?? {};
  if (!script || !(meter || text.length > LONG)) return;
  meter ??= import(script);
  (await meter).weigh(text.length > LONG ? text : "");
}

document.addEventListener("keydown", (event) => {
  if (event.target.id !== "composer-text" || event.key !== "Enter") return;
  // 229: an input method is composing, in browsers that do not say so otherwise
  if (event.shiftKey || event.isComposing || event.keyCode === 229 || touch.matches) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});

// From the empty field: the last question once more.
document.addEventListener("keydown", (event) => {
  if (event.target.id !== "composer-text" || event.key !== "ArrowUp" || event.target.value || event.isComposing) return;
  const edit = [...document.querySelectorAll('#messages [data-role="user"] [data-icon="edit"]')].at(-1);
  if (!edit || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
  event.preventDefault();
  edit.click();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id !== "composer") return;
  const empty = !byId("composer-text").value.trim() && !byId("composer-files").files.length;
  const tooEarly = isAnswering() && (byId("composer-to") || byId("composer-files").files.length);
  if (!empty && !tooEarly && !sending) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!empty && tooEarly) complain(form.dataset.errorActive, "note");
}, { capture: true });

// Files: chosen, pasted or dropped. What shows them comes with the first one.

async function attach(files) {
  const { add } = await import(byId("composer").dataset.attachments);
  add(files);
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("#composer-files, #composer-camera") && target.files.length) attach([...target.files]);
});

document.addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  if (event.target.id !== "composer-text" || !files.length || event.clipboardData.types.includes("text/plain")) return;
  event.preventDefault();
  attach(files);
});

function hover(event, drops) {
  const box = event.dataTransfer?.types.includes("Files") && document.querySelector("#composer .composer-box");
  if (!box) return;
  event.preventDefault();
  box.toggleAttribute("data-drop", event.type === "dragover");
  if (drops) attach([...event.dataTransfer.files]);
}

document.addEventListener("dragover", (event) => hover(event, false));
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) hover(event, false); });
document.addEventListener("drop", (event) => hover(event, true));

document.addEventListener("click", (event) => {
  const example = event.target.closest('[data-action="example"]');
  if (example && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    fill(example.textContent.trim());
    byId("composer-text").focus();
  } else if (event.target.closest(".composer-box") && !event.target.closest("button, select, label, textarea, input")) {
    byId("composer-text").focus();
  }
});

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (!isComposer(ctx)) return;
  const text = byId("composer-text").value;
  sending = { text, draftKey: draftKey() };
  complain("");
  withDrafts((drafts) => drafts.sent());
  if (!isAnswering()) echo(text);
  byId("composer-text").value = "";
  grow(byId("composer-text"));
});

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  if (!isComposer(ctx) || ctx.response.status < 400 || ctx.text.includes('id="composer"')) return;
  event.preventDefault(); // an error page, not a fragment
  giveBack(ctx.sourceElement.dataset.errorServer);
});

document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  if (isComposer(ctx)) giveBack(ctx.sourceElement.dataset.errorNetwork);
});

document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  if (!isComposer(ctx)) return;
  forgetEcho();
  if (ctx.response.status < 400 && sending) storage.set(sending.draftKey, byId("composer-text").value);
  sending = null;
});

document.addEventListener("hub:changed", ({ detail: { ctx } }) => {
  prepare();
  if (isComposer(ctx) && !touch.matches) byId("composer-text")?.focus({ preventScroll: true });
});

prepare();
