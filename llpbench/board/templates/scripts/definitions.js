// What a term means, opened by its button: by mouse, touch and keyboard.

import { html } from "./elements.js";

const WIDTH = 320;
const MARGIN_OF_WINDOW = 8;
let explanations = 0;

/** Below the button or, in the lower half of the window, above it; never beyond the window. */
function placeBeside(button, popover) {
  const { left, right, top, bottom } = button.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const width = Math.min(WIDTH, clientWidth - 2 * MARGIN_OF_WINDOW);
  const start = Math.min((left + right) / 2 - width / 2, clientWidth - MARGIN_OF_WINDOW - width);
  const isBelow = top + bottom < clientHeight;
  const gap = isBelow ? bottom + 4 : clientHeight - top + 4;
  for (const [name, size] of [["width", width], ["left", Math.max(start, MARGIN_OF_WINDOW)], ["max-height", clientHeight - gap - MARGIN_OF_WINDOW]]) {
    popover.style.setProperty(name, `${size}px`);
  }
  popover.style.setProperty("top", isBelow ? `${gap}px` : "auto");
  popover.style.setProperty("bottom", isBelow ? "auto" : `${gap}px`);
}

/**
 * A button and the text that it opens. The browser opens and closes it, with Esc or by a click
 * elsewhere, above whatever scrolls or sticks; where it cannot, the text stands open.
 */
export function definition({ title, definition: text }) {
  if (!text) return [];
  const id = `explanation-${++explanations}`;
  const popover = html("span", { class: "explanation", popover: "auto", id, role: "note" }, html("b", {}, title), " ", text);
  const button = html("button", {
    type: "button", class: "explain", popovertarget: id, "aria-expanded": "false", "aria-describedby": id, "aria-label": `What is ${title}?`,
  }, html("span", { "aria-hidden": "true" }, "?"));
  let opened = null;
  popover.addEventListener("beforetoggle", ({ newState }) => {
    const isOpen = newState === "open";
    button.setAttribute("aria-expanded", String(isOpen));
    opened?.abort();
    if (!isOpen) return;
    opened = new AbortController();
    const place = () => placeBeside(button, popover);
    place();
    addEventListener("scroll", place, { capture: true, passive: true, signal: opened.signal });
    addEventListener("resize", place, { signal: opened.signal });
  });
  return [button, popover];
}

/** A term, and the button that says what it means. */
export function explained(title, text) {
  return [title, ...definition({ title, definition: text })];
}

const DIRECTIONS = {
  lower: ["\u2193", "lower is better"], higher: ["\u2191", "higher is better"],
  one: ["\u21921", "best at 1"], zero: ["\u21920", "best at 0"],
};

/** Which values of a metric are good: a sign, and what it says. */
export function direction({ name, better }) {
  const level = Number(name.split("_").at(-1)) / 100;
  const [sign, words] = DIRECTIONS[better] ?? [`\u2192${level}`, `best at ${level}`];
  return html("span", { class: "direction" }, html("span", { "aria-hidden": "true" }, sign), html("span", { class: "unseen" }, ` (${words})`));
}
