// Rows of a table as CSV.

import { filesOf } from "./files.js";
import { metric } from "./rows.js";

const FIELDS = ["id", "title", "team", "kind", "tier", "supervision", "trained_on", "scored", "designed_here"];

/** A cell of CSV; a text that a spreadsheet would take for a formula gets an apostrophe. */
export function csvCell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A line for each row; where they are from stands in each, since readers of CSV know no comments. */
export function csvOf(table, rows, origin) {
  const names = table.metrics.map((one) => one.name);
  const costs = [...new Set(table.rows.flatMap((row) => Object.keys(row.footprint)))];
  const files = [...new Set(table.rows.flatMap((row) => Object.keys(filesOf(row) ?? {})))];
  const head = [...FIELDS, "rank", "rank_low", "rank_high", "tie_group", ...names.flatMap((name) => [name, `${name}_low`, `${name}_high`]), ...costs, ...files.map((name) => `export_${name}`), ...Object.keys(origin)];
  const lines = rows.map((row) => [
    ...FIELDS.map((name) => row[name]),
    ...["rank", "low", "high", "group"].map((name) => row.rank?.[name]),
    ...names.flatMap((name) => Object.values(metric(row, name))),
    ...costs.map((name) => row.footprint[name]),
    ...files.map((name) => filesOf(row)?.[name]),
    ...Object.values(origin),
  ]);
  return [head, ...lines].map((line) => `${line.map(csvCell).join(",")}\r\n`).join("");
}
