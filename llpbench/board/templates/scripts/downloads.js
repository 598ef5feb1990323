// What is shown, as files: made here, sent nowhere.

import { announce, html } from "./elements.js";
import { addressOf } from "./address.js";
import { board, comparisonsIn, detailsOf } from "./board.js";
import { csvOf } from "./csv.js";

/** What a file says of itself: data and rules behind it, and which rows of the table it holds. */
function originOf(table, filters, query) {
  const page = location.protocol === "file:" ? "" : location.href.split("#")[0];
  return {
    dataset: table.dataset, track: table.track, digest: table.digest,
    protocol: board.protocol, scorer: board.scorer, llpbench_version: board.llpbench_version, built: board.built,
    filters: filters || "all rows", view: page + addressOf([table.dataset, table.track], query),
  };
}

function jsonOf(table, shown, origin) {
  const { number: _number, byId: _byId, ...content } = table;
  const rows = shown.map(({ searched: _searched, ...row }) => {
    const details = detailsOf(table, row);
    const metrics = Object.fromEntries(Object.entries(row.metrics).map(([name, score]) => [name, { ...score, ...details.metrics[name] }]));
    return { ...row, ...details, metrics };
  });
  const ids = new Set(shown.map((row) => row.id));
  const comparisons = comparisonsIn(table).filter(({ first, second }) => ids.has(first) && ids.has(second));
  return `${JSON.stringify({ ...origin, ...content, rows, comparisons }, null, 1)}\n`;
}

function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  html("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  announce(`${name} downloaded`);
}

const FORMATS = { csv: ["text/csv", csvOf], json: ["application/json", jsonOf] };

/**
 * Buttons for the rows that are shown, in the order in which they are, and a choice of all rows
 * for tables that are filtered. `shown` gives rows, filters in words and the query of the view.
 */
export function downloads(table, shown) {
  const all = html("input", { type: "checkbox", id: "all-rows" });
  const label = html("label", { class: "field", hidden: true }, all, html("span", {}, "all rows"));
  const name = ["llpbench", table.dataset, table.track, board.built].filter(Boolean).join("-");
  const download = (kind) => {
    const { rows, filters, query } = shown();
    const isAll = all.checked && !label.hidden;
    const [type, make] = FORMATS[kind];
    save(`${name}.${kind}`, type, make(table, isAll ? table.rows : rows, isAll ? originOf(table, "", "") : originOf(table, filters, query)));
  };
  const buttons = Object.keys(FORMATS).map((kind) => html("button", {
    type: "button", class: "quiet", "aria-label": `Download these rows as ${kind.toUpperCase()}`, on: { click: () => download(kind) },
  }, kind.toUpperCase()));
  return {
    element: html("span", { class: "downloads", role: "group", "aria-label": "Download" }, label, buttons),
    choice: (isFiltered) => (label.hidden = !isFiltered),
  };
}
