// The thread: where the reader is in it, what is appended, and what stays unfolded.

const byId = (id) => document.getElementById(id);

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
  document.addEventListener("hub:changed", follow);
  follow();
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("#newest")) return;
  // A smooth way to an end that moves on would never arrive.
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches || document.querySelector('#messages > [data-status="running"]');
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
  for (const { target: found, fragment, swapSpec } of tasks ?? []) {
    const target = typeof found === "string" ? document.querySelector(found) : found;
    if (swapSpec?.style !== "outerHTML" || !target?.querySelectorAll) continue;
    for (const old of [target, ...target.querySelectorAll("details[open]")]) {
      if (old.id && old.matches("details[open]")) fragment.getElementById(old.id)?.setAttribute("open", "");
    }
  }
});

document.addEventListener("hub:changed", showWay);
