// What is shown, as files: made here, sent nowhere.

import { announce, html } from "./elements.js";
import { comparisonsIn, detailsOf } from "./board.js";
import { csvOf } from "./csv.js";

function jsonOf(table) {
  const { number: _number, byId: _byId, ...content } = table;
  const rows = table.rows.map(({ searched: _searched, ...row }) => {
    const details = detailsOf(table, row);
    const metrics = Object.fromEntries(Object.entries(row.metrics).map(([name, score]) => [name, { ...score, ...details.metrics[name] }]));
    return { ...row, ...details, metrics };
  });
  return `${JSON.stringify({ ...content, rows, comparisons: comparisonsIn(table) }, null, 1)}\n`;
}

function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  html("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  announce(`${name} downloaded`);
}

export function downloadButtons(table) {
  const name = `llpbench-${table.dataset}-${table.track}`;
  const button = (kind, make) => html("button", {
    type: "button", class: "quiet", "aria-label": `Download this table as ${kind.toUpperCase()}`,
    on: { click: () => save(`${name}.${kind}`, kind === "csv" ? "text/csv" : "application/json", make(table)) },
  }, kind.toUpperCase());
  return html("span", { class: "downloads", role: "group", "aria-label": "Download" }, button("csv", csvOf), button("json", jsonOf));
}
