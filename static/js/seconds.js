// Seconds that go on: how long a tool has been working, how long a request still waits.

const seen = new WeakMap();

setInterval(() => {
  for (const element of document.querySelectorAll("[data-seconds]")) {
    const { seconds, count } = element.dataset;
    if (!seen.has(element)) seen.set(element, performance.now() - 1000);
    const passed = Math.floor((performance.now() - seen.get(element)) / 1000);
    element.textContent = count === "down" ? Math.max(0, seconds - passed) : Number(seconds) + passed;
  }
}, 1000);
