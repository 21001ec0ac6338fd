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
