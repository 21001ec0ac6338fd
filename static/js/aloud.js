// Reading an answer aloud, by the browser's own voices, also while it is being written.

const PAUSE = 400; // ms between two looks at what was added
const LONGEST = 220; // characters at once: some voices fall silent in the middle of longer ones
const END = /[.!?…:;。！？][\p{Pe}\p{Pf}"']*(?=\s)|[。！？]|\n/gu;

const words = document.getElementById("announcer").dataset;
const speech = window.speechSynthesis;
let reading; // { id, said, lang, pending, timer }

export function toggle(id) {
  const again = reading?.id === id;
  stop();
  if (again) return;
  reading = { id, said: 0, lang: "", pending: 0 };
  speech.resume();
  stopButton().hidden = false;
  reading.timer = setInterval(follow, PAUSE);
  follow();
}

export function stop() {
  clearInterval(reading?.timer);
  reading = undefined;
  speech.cancel();
  stopButton().hidden = true;
  mark();
}

// What was added since the last look, up to the end of a sentence; all of it once the answer is complete.
function follow() {
  const article = document.getElementById(reading.id);
  if (!article) return stop();
  mark();
  const text = textOf(article.querySelector(".message-body"));
  const running = article.dataset.status === "running";
  const ready = running ? lastEnd(text.trimEnd()) : text.length;
  if (ready > reading.said) {
    const fresh = text.slice(reading.said, ready);
    reading.said = ready;
    reading.lang ||= languageOf(text.slice(0, 600));
    for (const piece of pieces(fresh)) say(piece);
  } else if (!running && !reading.pending) stop();
}

function say(text) {
  const now = reading;
  const utterance = new SpeechSynthesisUtterance(text);
  utterance.lang = now.lang;
  const voices = speech.getVoices().filter(({ lang }) => lang.toLowerCase().startsWith(now.lang.slice(0, 2)));
  utterance.voice = voices.find(({ localService }) => localService) ?? voices[0] ?? null;
  now.pending += 1;
  const done = () => { now.pending -= 1; };
  utterance.addEventListener("end", done);
  utterance.addEventListener("error", done);
  speech.speak(utterance);
}

// The words of a rendered answer. Code, formulas and tables are named, not read.
function textOf(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (node.nodeType !== Node.ELEMENT_NODE) return "";
  if (node.matches("figure.code, pre")) return `\n${words.code}\n`;
  if (node.matches("math, .math, .formula")) return ` ${words.formula} `;
  if (node.matches("table")) return `\n${words.table}\n`;
  if (node.matches("button, svg, script, input, .visually-hidden")) return "";
  if (node.matches("img")) return node.alt;
  const inside = Array.from(node.childNodes, textOf).join("");
  return node.matches("p, li, h1, h2, h3, h4, h5, h6, blockquote, dt, dd, div, hr, br") ? `${inside}\n` : inside;
}

const lastEnd = (text) => Array.from(text.matchAll(END), (match) => match.index + match[0].length).at(-1) ?? 0;

// Sentences, none longer than a voice can take.
function* pieces(text) {
  let start = 0;
  const ends = [...Array.from(text.matchAll(END), (match) => match.index + match[0].length), text.length];
  for (const end of ends) {
    for (let rest = text.slice(start, end).trim(); rest;) {
      const cut = rest.length <= LONGEST ? rest.length : rest.lastIndexOf(" ", LONGEST);
      const piece = rest.slice(0, cut > 0 ? cut : LONGEST);
      if (/[\p{L}\p{N}]/u.test(piece)) yield piece;
      rest = rest.slice(piece.length).trim();
    }
    start = end;
  }
}

// A guess at the language: by script, then by small words; else that of the browser.
const SCRIPTS = [
  [/\p{Script=Hiragana}|\p{Script=Katakana}/u, "ja"], [/\p{Script=Hangul}/u, "ko"], [/\p{Script=Han}/u, "zh"],
  [/[іїєґ]/u, "uk"], [/\p{Script=Cyrillic}/u, "ru"], [/\p{Script=Greek}/u, "el"], [/\p{Script=Hebrew}/u, "he"],
  [/[پچژگ]/u, "fa"], [/\p{Script=Arabic}/u, "ar"], [/\p{Script=Thai}/u, "th"], [/\p{Script=Devanagari}/u, "hi"],
];
const SMALL = {
  en: "the and of to is in that it for with you are this", de: "der die das und ist nicht ein eine mit für auf den von zu",
  fr: "le la les et est une des dans que pour pas vous avec", es: "el los las es una que por con para del como está",
  it: "il di che è una per con non sono della gli", pt: "o os as é uma que não para com do da em você",
  nl: "de het een en van is niet dat op voor met zijn", pl: "i w nie się na jest do to że z",
  sv: "och att det som en är på för med inte av", tr: "ve bir bu için ile da de çok olarak",
};

export function languageOf(text) {
  const latin = (text.match(/\p{Script=Latin}/gu) ?? []).length;
  const letters = (text.match(/\p{L}/gu) ?? []).length;
  if (letters && latin < letters / 2) return SCRIPTS.find(([script]) => script.test(text))?.[1] ?? navigator.language;
  const found = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  const scores = Object.entries(SMALL).map(([lang, list]) => {
    const known = new Set(list.split(" "));
    return [found.filter((word) => known.has(word)).length, lang];
  });
  const [score, lang] = scores.reduce((best, one) => (one[0] > best[0] ? one : best));
  return score >= Math.max(1, found.length / 30) ? lang : navigator.language;
}

// The button below the message shows that it is read; another one stops it from wherever the reader is.
function mark() {
  for (const button of document.querySelectorAll('[data-action="aloud"]')) {
    button.ariaPressed = String(button.closest("article").id === reading?.id);
  }
}

function stopButton() {
  let button = document.getElementById("stop-aloud");
  if (!button) {
    button = Object.assign(document.createElement("button"), { type: "button", id: "stop-aloud", className: "newest", hidden: true });
    button.append(words.stopAloud);
    button.addEventListener("click", stop);
    (document.querySelector(".dock") ?? document.body).prepend(button);
  }
  return button;
}

addEventListener("pagehide", () => speech.cancel());
