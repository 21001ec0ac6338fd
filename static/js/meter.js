// What is being written, in the meter: an estimate on top of what the model's window holds already.

const byId = (id) => document.getElementById(id);
const NEAR = 0.75; // as in chat/presenting/meter.py
const encoder = new TextEncoder();
const numbers = new Intl.NumberFormat(document.documentElement.lang || undefined);

let shown; // the meter as the server sent it, while it shows something else

export function weigh(text) {
  const meter = byId("meter");
  if (!meter?.dataset.used) return;
  if (shown?.meter !== meter) shown = { meter, level: meter.dataset.level, text: meter.querySelector(".meter-text").textContent };
  const { used, size, ratio, draft } = meter.dataset;
  const label = meter.querySelector(".meter-text");
  const bar = meter.querySelector("progress");
  if (!text.trim()) {
    label.textContent = shown.text;
    meter.dataset.level = shown.level;
    if (bar) bar.value = used;
    return;
  }
  const tokens = Number(used) + Math.ceil(encoder.encode(text).length / ratio) + 6;
  label.textContent = draft.replace("{used}", numbers.format(tokens)).replace("{window}", numbers.format(size));
  if (!bar) return;
  bar.value = tokens;
  meter.dataset.level = tokens > size ? "over" : tokens > NEAR * size ? "near" : "ok";
}
