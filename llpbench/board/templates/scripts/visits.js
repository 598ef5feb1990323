// What the browser's history keeps of each visit: the address of the view, and how far it was scrolled.

const WAIT = 400; // milliseconds: browsers refuse more than some hundred changes in half a minute
const LEAVING = "llpbench-leaving";

let writing = 0;
let next = null;

function scroller() {
  return document.querySelector("main .scroller");
}

function stateNow(left = null) {
  const { scrollLeft = 0, scrollTop = 0 } = scroller() ?? {};
  return { scrolled: [scrollX, scrollY, scrollLeft, scrollTop], left };
}

function write(left) {
  clearTimeout(writing);
  try {
    history.replaceState(stateNow(left), "", next);
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

/** A reload goes to the address that was there when it began, whatever is written while it leaves. */
function leave() {
  if (writing) write();
  try {
    sessionStorage.setItem(LEAVING, JSON.stringify([location.hash, stateNow()]));
  } catch {
    // no storage for files in this browser
  }
}

function takeUp() {
  try {
    const [hash, state] = JSON.parse(sessionStorage.getItem(LEAVING));
    sessionStorage.removeItem(LEAVING);
    const isReload = performance.getEntriesByType("navigation")[0].type === "reload";
    if (isReload && hash.startsWith("#")) history.replaceState(state, "", hash);
  } catch {
    // nothing was kept
  }
}

/** From now on history is kept; a link, a reload or another tab leave no time to wait. */
export function keepVisits() {
  history.scrollRestoration = "manual";
  addEventListener("scroll", writeSoon, { capture: true, passive: true });
  addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a[href^='#']");
    if (link) write(link.getAttribute("href"));
  }, { capture: true });
  for (const leaving of ["beforeunload", "pagehide"]) addEventListener(leaving, leave);
  document.addEventListener("visibilitychange", () => writing && write());
  takeUp();
}
