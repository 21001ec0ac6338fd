// What is typed goes to the hub a moment later, so that it is there on the telephone too. Loaded with the first letter.

const PAUSE = 800; // ms without a key

let waiting; // {url, text, done}
let timer;
let running = Promise.resolve();

function post(url, text) {
  const headers = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
  return fetch(url, { method: "POST", headers, body: new URLSearchParams({ text }), keepalive: text.length < 30000 });
}

function save() {
  clearTimeout(timer);
  const draft = waiting;
  waiting = undefined;
  if (!draft) return;
  running = running.then(() => post(draft.url, draft.text)).then((response) => { if (response.ok) draft.done(draft.text); }, () => {});
}

// `done` is told which text the hub has.
export function keep(url, text, done) {
  waiting = { url, text, done };
  clearTimeout(timer);
  timer = setTimeout(save, PAUSE);
}

// The text is being sent, and the hub forgets its draft by itself. One that is still on its way must not come after that.
export function sent(url) {
  clearTimeout(timer);
  waiting = undefined;
  let idle = false;
  running.then(() => { idle = true; });
  queueMicrotask(() => queueMicrotask(() => { if (!idle) running = running.then(() => post(url, "")).catch(() => {}); }));
}

addEventListener("visibilitychange", () => { if (document.hidden) save(); });
addEventListener("pagehide", save);
