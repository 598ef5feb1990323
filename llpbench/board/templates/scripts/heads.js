// The head of a ranking: titles that sort and say what they mean, and conditions on columns.

import { html } from "./elements.js";
import { fixed } from "./numbers.js";
import { definition, direction } from "./definitions.js";
import { METHOD_COLUMN, RANK_COLUMN, titled } from "./columns.js";
import { condition } from "./filters.js";
import { LONGEST_TEXTS } from "./view.js";

const SYNTAX = "Conditions look like <0.1, >= 5k or 0.1..0.2; a number alone keeps what is as good or better.";

function headCell(column, scale, sortBy) {
  const button = html("button", { type: "button", class: "sort", on: { click: () => sortBy(column) } },
    column.title, html("span", { class: "arrow", "aria-hidden": "true" }));
  const ends = scale && html("span", { class: "ends", "aria-hidden": "true" }, html("span", {}, fixed(scale.low, 2)), html("span", {}, fixed(scale.high, 2)));
  const sign = column !== METHOD_COLUMN && column !== RANK_COLUMN && direction(column);
  const unit = column.unit && html("span", { class: "unit" }, column.unit);
  return html("th", { scope: "col", class: `${column.name}${column.isBar ? " bars" : ""}`, "data-column": column.name },
    button, html("span", { class: "meaning" }, unit, sign, definition({ title: titled(column), definition: column.definition })), ends);
}

export function headOf(columns, scales, sortBy) {
  return html("tr", {}, html("th", { scope: "col", class: "pick" }, html("span", { class: "unseen" }, "Compare")),
    [RANK_COLUMN, METHOD_COLUMN, ...columns].map((column) => headCell(column, scales.get(column.name), sortBy)));
}

/** Say in the head by which column rows are sorted. */
export function markSorted(head, { column, direction: order }) {
  for (const cell of head.querySelectorAll("th[data-column]")) {
    if (cell.dataset.column === column.name) cell.setAttribute("aria-sort", order);
    else cell.removeAttribute("aria-sort");
  }
}

/** Inputs for conditions on the columns, and a sentence on what can be written into them. */
export class Conditions {
  constructor(columns, view, change) {
    this.columns = columns;
    this.help = html("p", { class: "small", id: "condition-help", role: "status" });
    this.inputs = columns.map((column) => this.input(column, (text) => { view.conditions.set(column.name, text); change(); }));
    this.line = html("tr", { class: "conditions" }, html("td", { class: "pick" }), html("td", { class: "rank" }), html("td", { class: "method" }, "keep only"),
      this.inputs.map((input) => html("td", {}, input)));
    this.show(view);
    this.open(view.conditions.size > 0);
  }

  input({ name, title, better }, change) {
    const sign = better === "higher" ? "\u2265" : "\u2264";
    return html("input", {
      type: "text", placeholder: sign, autocomplete: "off", spellcheck: "false", maxlength: LONGEST_TEXTS.condition, "data-condition": name,
      "aria-label": `Keep rows by ${title}`, "aria-describedby": this.help.id, on: { input: (event) => change(event.target.value) },
    });
  }

  open(isOpen) {
    this.line.hidden = !isOpen;
    this.help.hidden = !isOpen;
  }

  /** Write what a view says into the inputs. */
  show(view) {
    for (const [n, { name }] of this.columns.entries()) this.inputs[n].value = view.conditions.get(name) ?? "";
    this.judge();
  }

  /** Mark what cannot be read, and say so. */
  judge() {
    const wrong = this.inputs.filter((input, n) => !condition(input.value, this.columns[n].better));
    for (const input of this.inputs) input.setAttribute("aria-invalid", String(wrong.includes(input)));
    const names = wrong.map((input) => `\u201c${input.value.trim()}\u201d for ${this.columns[this.inputs.indexOf(input)].title}`);
    const sentence = names.length ? `${names.join(" and ")} cannot be read and keeps every row. ${SYNTAX}` : SYNTAX;
    this.help.classList.toggle("wrong", names.length > 0);
    if (this.help.textContent !== sentence) this.help.textContent = sentence;
  }
}
