// What is said of an address that leads to nothing here, and what is near it.

import { html } from "./elements.js";
import { addressOf } from "./address.js";
import { address, isScored } from "./rows.js";
import { board, findTable, tablesOf } from "./board.js";

const LONGEST_QUOTE = 80;
const MOST_ALIKE = 5;

function quoted(text) {
  return `\u201c${text.length > LONGEST_QUOTE ? `${text.slice(0, LONGEST_QUOTE)}\u2026` : text}\u201d`;
}

function tableLink(table) {
  return [addressOf([table.dataset, table.track]), `${table.title}, ${table.track}`];
}

function nearRows(table, id) {
  const others = board.tables.filter((one) => one !== table && one.byId.has(id));
  return others.map((one) => [address(one, "entry", id), `${one.byId.get(id).title} in ${one.title}, ${one.track}`]);
}

function wordsOf(id) {
  return new Set(id.toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean));
}

/** A few rows of the table whose id shares words with one that is not there, those with most words first. */
function alikeRows(table, id) {
  const words = wordsOf(id);
  const shared = (row) => [...wordsOf(row.id)].filter((word) => words.has(word)).length;
  return table.rows.map((row) => ({ row, count: shared(row) })).filter(({ count }) => count > 0)
    .sort((one, other) => other.count - one.count).slice(0, MOST_ALIKE)
    .map(({ row }) => [address(table, "entry", row.id), row.title]);
}

function missingRows(table, ids) {
  const place = `${table.title}, ${table.track}`;
  const unknown = ids.filter((id) => !table.byId.has(id));
  if (unknown.length) {
    const what = unknown.map(quoted).join(" and ");
    return [`There is no entry ${what} in ${place}.`, [...unknown.flatMap((id) => nearRows(table, id).concat(alikeRows(table, id))), tableLink(table)]];
  }
  const reported = ids.map((id) => table.byId.get(id)).find((row) => !isScored(row));
  return [`${reported.title} was reported elsewhere: no predictions are stored, so it cannot be compared.`,
    [[address(table, "entry", reported.id), reported.title], tableLink(table)]];
}

/** A sentence on what was not found, and addresses near it with what they are called. */
export function nearest(found) {
  if (!found) return ["This address cannot be read.", []];
  const [dataset, track, kind, ...ids] = found.parts;
  const here = tablesOf(dataset);
  if (!here.length) return [`There is no dataset ${quoted(dataset)} on this board.`, []];
  const table = findTable([dataset, track]);
  if (!table) return [`${here[0].title} has no track ${quoted(track)}.`, here.map(tableLink)];
  if ({ entry: 1, compare: 2 }[kind] === ids.length) return missingRows(table, ids);
  return [`There is nothing at ${quoted(found.parts.join("/"))}.`, [tableLink(table)]];
}

function linkList(title, links) {
  if (!links.length) return [];
  return [html("p", {}, title), html("ul", { class: "near" }, links.map(([href, name]) => html("li", {}, html("a", { href }, name))))];
}

export function missingView(found) {
  const [sentence, near] = nearest(found);
  const overview = board.overviews.length ? [["#overview", "Overview of all datasets"]] : [];
  const datasets = [...new Set(board.tables.map(({ dataset }) => dataset))].map((dataset) => tableLink(findTable([dataset])));
  return [
    html("div", { class: "heading" }, html("h2", { tabindex: -1 }, "Not found"), html("p", { class: "verdict" }, sentence)),
    ...linkList("Near it:", [...new Map(near)]),
    ...linkList("What is here:", [...overview, ...datasets]),
  ];
}
