// What the browser's history keeps of each visit: the address of the view, and how far it was scrolled.

const WAIT = 400; // milliseconds: browsers refuse more than some hundred changes in half a minute

let writing = 0;
let next = null;

function scroller() {
  return document.querySelector("main .scroller");
}

function write() {
  clearTimeout(writing);
  const { scrollLeft = 0, scrollTop = 0 } = scroller() ?? {};
  try {
    window.history.replaceState({ scrolled: [scrollX, scrollY, scrollLeft, scrollTop] }, "", next);
  } catch {
    // too many changes for this browser: the next one is kept
  }
  forget();
}

function writeSoon() {
  clearTimeout(writing);
  writing = setTimeout(write, WAIT);
}

/** What was still to be written belongs to a visit that has been left. */
export function forget() {
  clearTimeout(writing);
  writing = 0;
  next = null;
}

/** Keep another address for this visit, soon. */
export function keepAddress(hash) {
  next = hash;
  writeSoon();
}

/** Where this visit was scrolled to when it was left: of the page and of its table; null for a new one. */
export function keptScroll() {
  const numbers = window.history.state?.scrolled;
  return Array.isArray(numbers) && numbers.length === 4 && numbers.every(Number.isFinite) ? numbers : null;
}

export function scrollAgain([left, top, tableLeft, tableTop]) {
  scroller()?.scrollTo({ left: tableLeft, top: tableTop, behavior: "instant" });
  scrollTo({ left, top, behavior: "instant" });
}

/** From now on history is kept; a link leaves no time to wait. */
export function keepVisits() {
  window.history.scrollRestoration = "manual";
  addEventListener("scroll", writeSoon, { capture: true, passive: true });
  addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("a[href^='#']")) write();
  }, { capture: true });
}
