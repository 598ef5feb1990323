// Tables as CSV.

import { metric } from "./rows.js";

const FIELDS = ["id", "title", "team", "kind", "tier", "supervision", "trained_on"];

/** A cell of CSV; a text that a spreadsheet would take for a formula gets an apostrophe. */
export function csvCell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csvOf(table) {
  const names = table.metrics.map((one) => one.name);
  const costs = [...new Set(table.rows.flatMap((row) => Object.keys(row.footprint)))];
  const head = [...FIELDS, "rank", "rank_low", "rank_high", "tie_group", ...names.flatMap((name) => [name, `${name}_low`, `${name}_high`]), ...costs];
  const lines = table.rows.map((row) => [
    ...FIELDS.map((name) => row[name]),
    ...["rank", "low", "high", "group"].map((name) => row.rank?.[name]),
    ...names.flatMap((name) => Object.values(metric(row, name))),
    ...costs.map((name) => row.footprint[name]),
  ]);
  return [head, ...lines].map((line) => `${line.map(csvCell).join(",")}\r\n`).join("");
}
