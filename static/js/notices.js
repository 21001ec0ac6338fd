// Messages that models left: shown by the browser while a page is open, once the person has allowed that.
// Browsers have notifications on https and localhost only; elsewhere the inbox is all there is.

const every = 20_000; // ms; nothing is asked of the hub without the permission
const url = "/inbox/news/";
const kept = `hub-newest-notice-${document.body.dataset.user}`; // shared by tabs: one of them shows a message

async function look() {
  const known = localStorage.getItem(kept);
  const response = await fetch(known ? `${url}?after=${known}` : url).catch(() => null);
  if (!response?.ok || response.redirected) return;
  const { newest, notices } = await response.json();
  if (localStorage.getItem(kept) !== known) return; // another tab was first
  localStorage.setItem(kept, newest);
  for (const { id, title, text } of notices) {
    const shown = new Notification(title, { body: text, tag: `notice-${id}` });
    shown.addEventListener("click", () => {
      window.focus();
      location.assign("/inbox/");
    });
  }
}

function start() {
  look();
  setInterval(look, every);
}

// An answer that ends while nobody looks, where the person wants to be told on this device. Of several pages one
// tells: whichever of them is seen has told already, and of hidden ones the first to take the lock. The lock itself
// says that it was told, since what one page stores another may see only later.

const wanted = `hub-answer-notices-${document.body.dataset.user}`;
const grace = 300; // ms for a page that is seen to take the lock
const held = new Map(); // the locks of this page, by the answer's id
const keptFor = 120_000; // ms: the timers of a page that is hidden for long run once a minute

function firstToTell(id, tell) {
  return navigator.locks.request(`hub-answer-${id}`, { ifAvailable: true }, (lock) => {
    if (!lock) return null;
    tell();
    return new Promise((free) => {
      held.set(id, free);
      setTimeout(free, keptFor);
    });
  });
}

document.addEventListener("hub:began", ({ detail: { id } }) => held.get(id)?.()); // it goes on, and will end again

document.addEventListener("hub:ended", async ({ detail: { id, status } }) => {
  if (!document.hidden) return firstToTell(id, () => {});
  if (localStorage.getItem(wanted) !== "on" || Notification.permission !== "granted") return;
  await new Promise((go) => { setTimeout(go, grace); });
  await firstToTell(id, () => {
    const title = document.getElementById("title")?.textContent.trim() || document.title;
    const shown = new Notification(title, { body: document.getElementById("announcer").dataset[status], tag: id });
    shown.addEventListener("click", () => {
      window.focus();
      shown.close();
    });
  });
});

// The switch in the settings. Only its click asks for the permission.

const answers = document.getElementById("answer-notices");

function showSwitch() {
  const allowed = Notification.permission;
  const on = allowed === "granted" && localStorage.getItem(wanted) === "on";
  answers.dataset.state = allowed === "denied" ? "denied" : on ? "on" : "off";
  answers.querySelector("button").ariaPressed = String(on);
}

if (answers && "Notification" in window && window.isSecureContext) {
  answers.hidden = false;
  showSwitch();
  answers.querySelector("button").addEventListener("click", async () => {
    const on = answers.dataset.state === "on";
    if (!on && (await Notification.requestPermission()) !== "granted") return showSwitch();
    localStorage.setItem(wanted, on ? "off" : "on");
    showSwitch();
  });
}

const section = document.getElementById("browser-notices");

if ("Notification" in window && window.isSecureContext) {
  if (Notification.permission === "granted") start();
  else if (section && Notification.permission === "default") {
    section.hidden = false;
    section.querySelector("button").addEventListener("click", async () => {
      if ((await Notification.requestPermission()) !== "granted") return;
      section.hidden = true;
      start();
    });
  }
}
