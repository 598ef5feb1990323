// What is drawn only when it comes near; and all of it before a print, or a search by the browser.

import { html } from "./elements.js";
import { grouped } from "./numbers.js";

const AT_ONCE = 40;
const AHEAD = "600px";
const undrawn = new Set();

export function drawAll() {
  for (const draw of undrawn) draw();
}

/** What was still to be drawn belongs to a view that has been left. */
export function forgetUndrawn() {
  undrawn.clear();
}

export function drawBeforePrint() {
  addEventListener("beforeprint", drawAll);
  addEventListener("keydown", ({ key, ctrlKey, metaKey }) => {
    if (key === "F3" || ((ctrlKey || metaKey) && key.toLowerCase() === "f")) drawAll();
  }, { capture: true });
}

/** Draw into an element, and again when its width changes; what is much only when it comes near the window. */
export function drawNear(element, isMuch, draw) {
  let width = null;
  const resized = new ResizeObserver(() => {
    if (width !== element.clientWidth) drawNow();
  });
  const near = new IntersectionObserver((seen) => {
    if (seen.some((one) => one.isIntersecting)) begin();
  }, { rootMargin: AHEAD });
  const drawNow = () => {
    width = element.clientWidth;
    draw();
  };
  const begin = () => {
    undrawn.delete(begin);
    near.disconnect();
    drawNow();
    resized.observe(element);
  };
  if (!isMuch) {
    resized.observe(element);
    return;
  }
  undrawn.add(begin);
  near.observe(element);
}

/** Lines of a table in sections: the first at once, the others when the end of what is there comes near. */
export class Growing {
  /** `lineOf` makes the line of an item of a section, when it is first needed. */
  constructor(table, scroller, lineOf) {
    Object.assign(this, { table, scroller, lineOf, waiting: [], shown: [] });
    this.rest = html("tbody", { class: "rest" });
    table.append(this.rest);
    this.near = new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting)) this.grow(AT_ONCE);
    }, { root: scroller, rootMargin: AHEAD });
    undrawn.add(() => this.finish());
  }

  /** Show sections `{ body, items }` instead of those that are there; bodies may hold a heading. */
  show(sections) {
    for (const body of this.shown) body.remove();
    this.shown = [];
    this.waiting = sections.flatMap(({ body, items }) => items.map((item) => [body, item]));
    this.grow(AT_ONCE);
  }

  grow(count) {
    this.near.disconnect();
    for (const [body, item] of this.waiting.splice(0, count)) {
      if (this.shown.at(-1) !== body) {
        this.shown.push(body);
        this.rest.before(body);
      }
      body.append(this.lineOf(item));
    }
    this.rest.replaceChildren(...(this.waiting.length ? [this.more()] : []));
    if (this.waiting.length) this.near.observe(this.rest);
  }

  finish(isByButton = false) {
    this.grow(this.waiting.length);
    if (isByButton) this.scroller.focus({ preventScroll: true });
  }

  more() {
    const button = html("button", { type: "button", class: "quiet", on: { click: () => this.finish(true) } }, `Show ${grouped(this.waiting.length)} more`);
    return html("tr", {}, html("td", { colspan: this.table.tHead.rows[0].cells.length }, html("div", {}, button)));
  }
}
