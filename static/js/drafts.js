// What is typed goes to the hub a moment later, so that it is there on the telephone too. Loaded with the first letter.

const PAUSE = 800; // ms without a key

const KEPT = 204; // with any other answer it is not

let waiting; // {url, body, done}
let timer;
let running = Promise.resolve();

function post({ url, body }) {
  const headers = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
  return fetch(url, { method: "POST", headers, body: new URLSearchParams(body), keepalive: body.text.length < 30000 });
}

function save() {
  clearTimeout(timer);
  const draft = waiting;
  waiting = undefined;
  if (!draft) return;
  running = running.then(() => post(draft)).then(({ status }) => { if (status === KEPT) draft.done(draft.body.text); }, () => {});
}

// `key` is that of the form: once it was sent, the hub takes no draft of it, not even one that was long on its way.
// `done` is told which text the hub has.
export function keep(url, key, text, done) {
  waiting = { url, body: { key, text }, done };
  clearTimeout(timer);
  timer = setTimeout(save, PAUSE);
}

// The text is being sent, and the hub forgets its draft by itself.
export function sent() {
  clearTimeout(timer);
  waiting = undefined;
}

addEventListener("visibilitychange", () => { if (document.hidden) save(); });
addEventListener("pagehide", save);
