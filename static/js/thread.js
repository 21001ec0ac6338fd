// The thread: where the reader is in it, what is appended, and what stays unfolded.

const byId = (id) => document.getElementById(id);

// A comparison has one for each column.
const scrollerOf = (element) => element?.closest(".scroller") ?? byId("scroller");

// The list is drawn from its end (column-reverse), so 0 is the newest message and older ones lie at
// negative offsets. A reader at 0 stays there by herself while an answer grows.
const isAtEnd = (scroller) => scroller.scrollTop > -64;

function showWay() {
  const scroller = byId("scroller");
  if (scroller) byId("newest").hidden = isAtEnd(scroller) && !byId("later");
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
  if (byId("later")) return location.assign(location.pathname);
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
    if (byId("later")) { // an earlier part is shown; the question is at the end
      location.assign(location.pathname);
      return [];
    }
    byId("deleted")?.remove();
    const fresh = [...fragment.children].filter((article) => !byId(article.id));
    if (fresh.some((article) => article.dataset.role === "user")) {
      target.querySelectorAll('[data-status="pending"]').forEach((article) => article.remove());
    }
    target.append(...fresh);
    return fresh;
  },
});

// Other versions: the arrow that was pressed stays where it is on the screen, and keeps the focus.
let pressed;

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  const button = ctx.request?.submitter;
  if (!button?.closest(".versions")) return;
  pressed = { button, place: button.id.replace(/-\w+$/, ""), top: button.getBoundingClientRect().top };
  setTimeout(() => { pressed = undefined; }, 3000);
});

// Messages that come in below do not carry a reader along who is at the end of what is shown.
let below;

document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  below = ctx.sourceElement?.id === "later" ? scrollerOf(ctx.sourceElement).scrollHeight : undefined;
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const scroller = below !== undefined && scrollerOf(ctx.sourceElement);
  if (scroller && isAtEnd(scroller)) scroller.scrollTop -= scroller.scrollHeight - below;
  below = undefined;
  if (ctx.target?.id === "message-menu") ctx.target.showPopover({ source: ctx.sourceElement });
  const arrow = pressed && [byId(pressed.button.id), byId(`${pressed.place}-previous`), byId(`${pressed.place}-next`)].find((one) => one && !one.disabled);
  if (!arrow) return;
  scrollerOf(arrow).scrollTop += arrow.getBoundingClientRect().top - pressed.top;
  arrow.focus({ preventScroll: true });
  if (!pressed.button.isConnected) pressed = undefined;
});

document.addEventListener("keydown", (event) => {
  const form = event.target.closest?.("form.edit");
  if (!form || event.isComposing) return;
  if (event.key === "Escape") {
    event.preventDefault();
    form.querySelector("[data-cancel]").click();
  } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
});

// A message that is not on the page, named in the address: the hub finds it.
function find() {
  const [, id] = location.hash.match(/^#message-(\d+)$/) ?? [];
  if (!id || byId(`message-${id}`) || !byId("thread") || location.search.includes(`message=${id}`)) return;
  location.replace(`${location.pathname}?message=${id}${location.hash}`);
}

addEventListener("hashchange", find);
find();

// What the reader unfolded stays unfolded when the server sends the element anew.
document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
  for (const { target: found, fragment, swapSpec } of tasks ?? []) {
    const target = typeof found === "string" ? document.querySelector(found) : found;
    if (swapSpec?.style !== "outerHTML" || !target?.querySelectorAll) continue;
    if (!ctx.sourceElement?.closest("form.edit")) keepEditing(target, fragment);
    for (const old of [target, ...target.querySelectorAll("details[open]")]) {
      if (old.id && old.matches("details[open]")) fragment.getElementById(old.id)?.setAttribute("open", "");
    }
  }
});

// Somebody who is just editing a message goes on with it, whatever happens around it.
function keepEditing(target, fragment) {
  const article = target.querySelector("article.editing");
  const field = document.activeElement;
  const isTyping = article?.contains(field);
  const place = article && fragment.getElementById(article.id);
  if (!place) return;
  place.replaceWith(article);
  if (isTyping) setTimeout(() => field.focus({ preventScroll: true }));
}

document.addEventListener("hub:changed", showWay);
