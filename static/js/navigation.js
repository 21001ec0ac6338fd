// Moving about: the sidebar stays, only the main column changes.

const byId = (id) => document.getElementById(id);
const drawer = byId("sidebar");
const wide = matchMedia("(min-width: 50rem)");

const isOpen = (element) => element?.matches(":popover-open");

function close(element) {
  if (isOpen(element)) element.hidePopover();
}

wide.addEventListener("change", () => close(drawer));

// One menu serves all conversations: it never shows what it held for another one.
byId("conversation-menu").addEventListener("beforetoggle", ({ newState, target }) => {
  if (newState === "open") target.replaceChildren();
});

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  const source = ctx.sourceElement;
  if (source.matches(".menu form:not(.theme), .menu-item")) close(source.closest(".menu"));
  if (ctx.target?.id === "main") close(drawer);
});

document.addEventListener("hub:changed", () => {
  const shown = byId("thread")?.dataset.conversation;
  for (const link of document.querySelectorAll("#conversations a[data-conversation]")) {
    const current = link.dataset.conversation === shown;
    current ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
    if (!current) continue;
    link.parentElement.removeAttribute("data-unread");
    link.parentElement.querySelector(".running-dot").hidden = !document.querySelector(".messages > :is([data-status=running], [data-status=queued])");
  }
  const { site } = document.documentElement.dataset;
  const title = shown ? byId("title")?.textContent : "";
  const full = title ? `${title} · ${site}` : site;
  if (document.title !== full) document.title = full;
});

// Answers that are written elsewhere: their lines are asked for anew until they have ended.
setInterval(() => {
  if (document.hidden) return;
  for (const dot of document.querySelectorAll("#conversations a:not([aria-current]) ~ .running-dot:not([hidden])")) {
    const line = dot.parentElement;
    htmx.ajax("GET", `${line.querySelector("a").getAttribute("href")}line/`, { source: line, target: line, swap: "outerHTML" });
  }
}, 5000);

// A conversation that was just used moves to the top of the list, or appears there.
htmx.registerExtension("bring-to-top", {
  handle_swap(style, target, fragment) {
    if (style !== "bringToTop") return false;
    const group = fragment.querySelector("section");
    const item = group.querySelector("li");
    const old = byId(item.id);
    const oldGroup = old?.closest("section");
    old?.remove();
    if (oldGroup && !oldGroup.querySelector("li")) oldGroup.remove();
    target.querySelector(".sidebar-empty")?.remove();
    const pinned = target.querySelector("section[data-pinned]");
    const first = target.querySelector("section:not([data-pinned])");
    const isFirst = first?.querySelector("h2").textContent === group.querySelector("h2").textContent;
    if (isFirst) first.querySelector("ul").prepend(item);
    else pinned ? pinned.after(group) : target.prepend(group);
    return [isFirst ? item : group];
  },
});

// Searching by keyboard: / leads to the field, the arrows through what was found, Esc back.
const found = () => [byId("find"), ...document.querySelectorAll("#found a")];

document.addEventListener("keydown", (event) => {
  const at = found().indexOf(event.target);
  if (at < 0 || event.isComposing) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    found()[at + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
  } else if (event.key === "Escape") {
    event.preventDefault();
    byId("find").value = "";
    byId("found").replaceChildren();
    byId("find").focus();
  }
});

const isTyping = (target) => target.matches?.("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && event.shiftKey && event.code === "KeyO") {
    event.preventDefault();
    byId("new-chat").click();
  } else if (event.key === "/" && !isTyping(event.target) && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    if (!wide.matches && !isOpen(drawer)) drawer.showPopover();
    byId("find").focus();
  } else if (event.key === "?" && !isTyping(event.target)) {
    event.preventDefault();
    byId("keys").showModal();
  } else if (event.key === "Escape" && !document.querySelector(":popover-open, dialog[open], select:open")) {
    const stop = document.querySelector('[data-action="stop"]');
    if (stop?.checkVisibility()) stop.click();
  }
});
