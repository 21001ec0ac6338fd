// The thread: where the reader is in it, what was missed, and what a screen reader is told.

const byId = (id) => document.getElementById(id);
const ACTIVE = '#messages > [data-status="running"], #messages > [data-status="queued"]';
const LOST_AFTER = 1500; // ms; shorter gaps are nobody's business

// The list is drawn from its end (column-reverse), so 0 is the newest message and older ones lie at
// negative offsets. A reader at 0 stays there by herself while an answer grows.
const isAtEnd = (scroller) => scroller.scrollTop > -64;

function showWay() {
  const scroller = byId("scroller");
  if (scroller) byId("newest").hidden = isAtEnd(scroller);
}

document.addEventListener("scroll", (event) => {
  if (event.target.id === "scroller") showWay();
}, { capture: true, passive: true });

// A reader further up keeps her line while the answer grows below it. Most browsers see to that
// (scroll anchoring); for the others the growth is taken back.
if (!CSS.supports("overflow-anchor", "auto")) {
  let height = 0;
  const watch = new ResizeObserver(([{ target }]) => {
    const scroller = byId("scroller");
    if (scroller && height && !isAtEnd(scroller)) scroller.scrollTop -= target.offsetHeight - height;
    height = target.offsetHeight;
  });
  const follow = () => {
    const messages = byId("messages");
    height = 0;
    watch.disconnect();
    if (messages) watch.observe(messages);
  };
  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => { if (ctx.target?.id === "main") follow(); });
  follow();
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("#newest")) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  byId("scroller").scrollTo({ top: 0, behavior: still ? "instant" : "smooth" });
  byId("composer-text").focus({ preventScroll: true });
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "End" || event.target.matches("input, textarea, select")) return;
  byId("scroller")?.scrollTo({ top: 0 });
});

// A new message reaches a page twice: as the answer to its own request and over the socket.
htmx.registerExtension("append-missing", {
  handle_swap(style, target, fragment) {
    if (style !== "appendMissing") return false;
    const fresh = [...fragment.children].filter((article) => !byId(article.id));
    if (fresh.some((article) => article.dataset.role === "user")) {
      target.querySelectorAll('[data-status="pending"]').forEach((article) => article.remove());
    }
    target.append(...fresh);
    return fresh;
  },
});

// What the reader unfolded stays unfolded when the server sends the element anew.
document.addEventListener("htmx:before:swap", ({ detail: { tasks } }) => {
  for (const { target, fragment, swapSpec } of tasks ?? []) {
    if (swapSpec?.style !== "outerHTML" || !target?.querySelectorAll) continue;
    for (const old of [target, ...target.querySelectorAll("details[open]")]) {
      if (old.id && old.matches("details[open]")) fragment.getElementById(old.id)?.setAttribute("open", "");
    }
  }
});

// One sentence when an answer begins and one when it ends, never its words.
let active = document.querySelector(ACTIVE)?.id;

function announce() {
  const now = document.querySelector(ACTIVE)?.id;
  if (now === active) return;
  const { dataset } = byId("announcer");
  const ended = active && byId(active)?.dataset.status;
  if (now) byId("announcer").textContent = dataset.answering;
  else if (ended) byId("announcer").textContent = dataset[ended] ?? "";
  active = now;
}

document.addEventListener("htmx:after:swap", () => {
  announce();
  showWay();
});

// The socket: it tells which state the page shows, and the page tells when it is gone for long.
let lost;

function say(state, text) {
  const line = byId("connection");
  if (!line) return;
  line.dataset.state = state;
  line.textContent = text;
}

document.addEventListener("htmx:ws:before:connection", ({ detail: { connection } }) => {
  const url = new URL(connection.url);
  const { revision } = byId("thread-state")?.dataset ?? {};
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
