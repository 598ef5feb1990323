// A row of a ranking as a line of the table.

import { html } from "./elements.js";
import { extent, isNumber, range } from "./numbers.js";
import { address, isScored } from "./rows.js";
import { rankedIn } from "./board.js";
import { notedBadges, tierBadge } from "./badges.js";

/** Where values of a column lie on the axis that all rows share. */
export function scaleOf(rows, column) {
  const [low, high] = extent(rows.flatMap((row) => Object.values(column.interval(row))));
  const margin = (high - low) * 0.04 || 0.01;
  const [from, to] = [Math.max(0, low - margin), high + margin];
  return { low: from, high: to, place: (value) => `${(100 * (value - from)) / (to - from)}%` };
}

function rankCell(rank, ranked, tie) {
  const share = (place) => `${(100 * place) / ranked}%`;
  const bar = html("span", { class: "rankbar", "aria-hidden": "true" },
    html("span", { style: { left: share(rank.low - 1), right: share(ranked - rank.high) } }));
  const possible = rank.low === rank.high ? "" : `${rank.low}\u2013${rank.high}`;
  const letter = tie && html("span", { class: "tie" }, html("span", { class: "unseen" }, ", tie "), tie.letter);
  return [html("span", { class: "place" }, String(rank.rank)), letter,
    html("span", { class: "range" }, possible && html("span", { class: "unseen" }, "possible ranks "), possible), bar];
}

function barCell(column, row, { place }) {
  const { low, high } = column.interval(row);
  const known = isNumber(low) && isNumber(high);
  const bar = html("span", { class: "interval", "aria-hidden": "true" },
    known && html("span", { class: "whisker", style: { left: place(low), width: `calc(${place(high)} - ${place(low)})` } }),
    html("span", { class: "dot", style: { left: place(column.value(row)) } }));
  return html("td", { class: "bars" }, html("span", { class: "figures" }, html("b", {}, column.text(row)),
    html("span", { class: "limits" }, known ? range(low, high, column.digits).replace(" to ", "\u2013") : "no interval")), bar);
}

function cell(column, row, scale) {
  if (!isNumber(column.value(row))) return html("td", { class: column.isBar ? "bars" : "" }, html("span", { class: "none" }, "\u2013"));
  if (column.isBar) return barCell(column, row, scale);
  const interval = column.interval && range(column.interval(row).low, column.interval(row).high, column.digits);
  const note = column.note && html("span", { class: "note" }, column.note(row));
  return html("td", { title: interval && `95 % interval ${interval}` }, column.text(row), note);
}

/** The line of a row; `pick` is told when its box for comparing is ticked. */
export function lineOf(row, { table, columns, scales, ties, pick }) {
  const open = html("a", { href: address(table, "entry", row.id) }, row.title);
  const elsewhere = row.trained_on && row.trained_on !== table.dataset && `trained on ${row.trained_on}`;
  const scored = row.scored && html("span", { class: "day" }, html("span", { class: "unseen" }, "scored on "), row.scored);
  const who = [row.team, elsewhere, scored].filter(Boolean).flatMap((one, n) => (n ? [" \u00b7 ", one] : [one]));
  const tie = ties.get(row.id);
  const box = isScored(row) && html("input", { type: "checkbox", "aria-label": `Compare ${row.title}`, on: { change: (event) => pick(row, event.target) } });
  return html("tr", { class: tie ? `${row.kind} tie${tie.shade}` : row.kind, "data-row": row.id },
    html("td", { class: "pick" }, box),
    html("td", { class: "rank" }, row.rank && rankCell(row.rank, rankedIn(table).length, tie)),
    html("th", { scope: "row", class: "method" },
      html("span", { class: "name" }, open, notedBadges(row)), html("span", { class: "who" }, who.length > 0 && html("span", {}, who), tierBadge(row.tier))),
    columns.map((column) => cell(column, row, scales.get(column.name))));
}
