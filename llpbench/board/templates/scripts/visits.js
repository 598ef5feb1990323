// What the browser's history keeps of each visit: the address of the view, and how far it was scrolled.

const WAIT = 400; // milliseconds: browsers refuse more than some hundred changes in half a minute

let writing = 0;
let next = null;

function scroller() {
  return document.querySelector("main .scroller");
}

function write(left = null) {
  clearTimeout(writing);
  const { scrollLeft = 0, scrollTop = 0 } = scroller() ?? {};
  try {
    history.replaceState({ scrolled: [scrollX, scrollY, scrollLeft, scrollTop], left }, "", next);
  } catch {
    // too many changes for this browser: the next one is kept
  }
  forget();
}

function writeSoon() {
  clearTimeout(writing);
  writing = setTimeout(() => write(), WAIT);
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
  const numbers = history.state?.scrolled;
  return Array.isArray(numbers) && numbers.length === 4 && numbers.every(Number.isFinite) ? numbers : null;
}

/** The link by which this visit was left, where it is still there; else nothing. */
export function linkLeft(main) {
  const { left } = history.state ?? {};
  return left && [...main.querySelectorAll("a[href]")].find((link) => link.getAttribute("href") === left);
}

export function scrollAgain([left, top, tableLeft, tableTop]) {
  scroller()?.scrollTo({ left: tableLeft, top: tableTop, behavior: "instant" });
  scrollTo({ left, top, behavior: "instant" });
}

/** From now on history is kept; a link, a reload or another tab leave no time to wait. */
export function keepVisits() {
  history.scrollRestoration = "manual";
  addEventListener("scroll", writeSoon, { capture: true, passive: true });
  addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a[href^='#']");
    if (link) write(link.getAttribute("href"));
  }, { capture: true });
  const writeNow = () => writing && write();
  for (const leaving of ["beforeunload", "pagehide"]) addEventListener(leaving, writeNow);
  document.addEventListener("visibilitychange", writeNow);
}
