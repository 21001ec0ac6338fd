// The socket: what it brings goes to its place, in order, and costs next to nothing; the page says when it is gone.

const byId = (id) => document.getElementById(id);
const ACTIVE = '.messages > [data-status="running"], .messages > [data-status="queued"]';
const TARGET = /<hx-partial hx-target="(#[\w-]+)"/g;
const LOST_AFTER = 1500; // ms; shorter gaps are nobody's business
const HEAL_AGAIN = 5000; // ms

const isFrame = (ctx) => ctx.sourceElement?.id === "thread";

// htmx looks up all targets of a frame before it swaps the first. As strings they are looked up one
// after the other, so that a change reaches what the change before it has just brought.
let tasks = [];

document.addEventListener("htmx:before:swap", ({ detail }) => {
  const { ctx } = detail;
  if (!isFrame(ctx)) return;
  const targets = Array.from(ctx.text.matchAll(TARGET), ([, target]) => target);
  tasks = detail.tasks.filter(({ type }) => type === "partial");
  tasks.forEach((task, index) => { task.target = targets[index]; });
  if (!byId("later")) return;
  // A page that shows an earlier part: the end of the thread has no place in it, a change of the path does.
  if (targets.includes("#messages") && !ctx.text.includes('hx-swap="appendMissing"')) heal();
  detail.tasks.splice(0, detail.tasks.length, ...detail.tasks.filter(({ target }) => target !== "#messages" && document.querySelector(target)));
});

// Most frames bring a few words. Only what changes more is worth a look at the rest of the page.
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (isFrame(ctx)) {
    if (!byId("later") && tasks.some(({ target }) => typeof target === "string")) heal();
    if (!ctx.text.includes("<article")) return;
  }
  document.dispatchEvent(new CustomEvent("hub:changed", { detail: { ctx } }));
});

// A change that found no place: the page shows something else than the hub thinks. Its thread is loaded anew.
let healing;
let healed = -HEAL_AGAIN;

function heal() {
  healing ??= setTimeout(async () => {
    healing = undefined;
    healed = performance.now();
    const around = byId("later") ? byId("messages").querySelector("article")?.id.slice("message-".length) : "";
    const response = await fetch(location.pathname + (around ? `?around=${around}` : ""), { headers: { "HX-Request": "true" } }).catch(() => null);
    const text = response?.ok ? await response.text() : "";
    if (!byId("thread") || !text.includes('id="thread"')) return;
    await htmx.swap({ sourceElement: byId("main"), target: "#thread", select: "#thread", swap: "outerHTML", text });
  }, Math.max(0, healed + HEAL_AGAIN - performance.now()));
}

// One sentence when an answer begins and one when it ends, never its words.
let active = document.querySelector(ACTIVE)?.id;

function announce() {
  const now = document.querySelector(ACTIVE)?.id;
  if (now === active) return;
  const { dataset } = byId("announcer");
  const ended = active && byId(active)?.dataset.status;
  if (ended) document.dispatchEvent(new CustomEvent("hub:ended", { detail: { id: active, status: ended } }));
  if (now) document.dispatchEvent(new CustomEvent("hub:began", { detail: { id: now } }));
  if (now) byId("announcer").textContent = dataset.answering;
  else if (ended) byId("announcer").textContent = dataset[ended] ?? "";
  active = now;
}

// What was deleted is said once; who deleted it by a menu that is gone too, finds "Undo" next.
let deleted = "";

function offerUndo() {
  const before = deleted;
  deleted = byId("deleted")?.innerText ?? "";
  if (before || !deleted) return;
  byId("announcer").textContent = deleted;
  if (document.hasFocus() && document.activeElement === document.body) byId("deleted").querySelector("button").focus({ preventScroll: true });
}

document.addEventListener("hub:changed", announce);
document.addEventListener("hub:changed", offerUndo);

// It tells which state the page shows, and the page tells when it is gone for long.
let lost;

function say(state, text) {
  const line = byId("connection");
  if (!line) return;
  line.dataset.state = state;
  line.textContent = text;
}

document.addEventListener("htmx:ws:before:connection", ({ detail: { connection } }) => {
  const url = new URL(connection.url);
  const revision = Array.from(document.querySelectorAll(".thread-state"), ({ dataset }) => dataset.revision).join("-");
  if (revision) url.searchParams.set("revision", revision);
  connection.url = url.href;
});

document.addEventListener("htmx:ws:after:connection", () => {
  clearTimeout(lost);
  lost = undefined;
  say("open", "");
});

document.addEventListener("htmx:ws:close", ({ detail: { reason, code } }) => {
  if (reason === "removed") {
    clearTimeout(lost);
    lost = undefined;
  } else if (code === 4403) {
    say("lost", byId("connection").dataset.refused);
  } else {
    lost ??= setTimeout(() => say("lost", byId("connection")?.dataset.lost), LOST_AFTER);
  }
});

// A page that the browser kept and shows again has lost its socket for good.
addEventListener("pageshow", (event) => {
  if (event.persisted && byId("thread")) location.reload();
});

// Seconds that go on: how long a tool has been working, how long a request still waits.
const seen = new WeakMap();
setInterval(() => {
  for (const element of document.querySelectorAll("[data-seconds]")) {
    const { seconds, count } = element.dataset;
    if (!seen.has(element)) seen.set(element, performance.now() - 1000);
    const passed = Math.floor((performance.now() - seen.get(element)) / 1000);
    element.textContent = count === "down" ? Math.max(0, seconds - passed) : Number(seconds) + passed;
  }
}, 1000);
