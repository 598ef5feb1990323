// The columns of a ranking: how a value is found, written and ordered.

import { bytes, compact, fixed, isNumber, milliseconds } from "./numbers.js";
import { metric } from "./rows.js";
import { FILE_COLUMNS, filesOf } from "./files.js";

/** Metrics in the order that they are shown, their decimals, and what they are called where the title is long. */
const METRIC_COLUMNS = [
  ["mae", 4],
  ["mae_hard", 4],
  ["skill", 3, "Skill"],
  ["f1_micro", 3],
  ["division_consistency", 4, "Consistency"],
  ["interval_score_90", 4, "Interval score"],
  ["coverage_90", 3, "Coverage"],
  ["within_division_r2", 3, "R\u00b2 within"],
];

const METHOD_COSTS = [
  ["parameters", "Parameters", compact, "", "Numbers that the method learns."],
  ["multiply_adds", "Multiply-adds", compact, "a chip", "Products that are summed to predict a chip."],
  ["latency_p50_ms", "Latency in Python", milliseconds, "ms a chip", "Median time to predict a chip on one core, by the method in Python as it was trained: no file that flies."],
  ["label_uplink_bytes", "Labels", bytes, "bytes", "Size of the labels that training needs."],
];

function metricColumn({ name, title: inFull, better, definition }, [, digits, short]) {
  const isBar = name === "mae" || name === "mae_hard";
  return {
    name, title: short ?? inFull, digits, better, isBar, unit: "", definition: definition ?? "",
    goal: better === "level" ? Number(name.split("_").at(-1)) / 100 : null,
    value: (row) => metric(row, name).value,
    text: (row) => fixed(metric(row, name).value, digits),
    interval: (row) => metric(row, name),
  };
}

function costColumn([name, title, format, unit, definition], value = (row) => row.footprint[name] ?? null) {
  return { name, title, unit, definition, better: "lower", value, text: (row) => format(value(row)) };
}

function fileColumn(known) {
  const [name, note] = [known[0].replace("export_", ""), known[5]];
  return { ...costColumn(known, (row) => filesOf(row)?.[name] ?? null), note: note && ((row) => note(filesOf(row))), isOfFiles: true };
}

const OF_FILES = FILE_COLUMNS.map(fileColumn);
export const [FILE_BYTES, FILE_LATENCY] = OF_FILES;
export const COST_COLUMNS = [...METHOD_COSTS.map((known) => costColumn(known)), ...OF_FILES];

/** Columns that some row of the table has a value for. */
export function valueColumns(table) {
  const all = [
    ...METRIC_COLUMNS.flatMap((one) => table.metrics.filter(({ name }) => name === one[0]).map((known) => metricColumn(known, one))),
    ...COST_COLUMNS,
  ];
  return all.filter((column) => table.rows.some((row) => isNumber(column.value(row))));
}

export const RANK_COLUMN = {
  name: "rank", title: "Rank", better: "lower", unit: "",
  definition: "Place by MAE. Beside it and as a bar, the best and the worst rank that the data allow, all together with 95 % confidence.",
  value: (row) => row.rank?.rank ?? null,
};
export const METHOD_COLUMN = { name: "method", title: "Method", better: "lower", unit: "", definition: "", value: (row) => row.title };

/** Rows by a column; those without a value come last either way. */
export function sorted(rows, column, direction) {
  const sign = direction === "ascending" ? 1 : -1;
  return [...rows].sort((one, other) => {
    const [a, b] = [column.value(one), column.value(other)];
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "string" ? a.localeCompare(b, "en") : a - b);
  });
}

/** Whether one value is better than another: lower, higher or nearer to the goal. */
export function isBetter(column, one, other) {
  if (!isNumber(one) || !isNumber(other)) return false;
  if (column.goal) return Math.abs(one - column.goal) < Math.abs(other - column.goal);
  return column.better === "higher" ? one > other : one < other;
}

/** A column's title with its unit, where there is one. */
export function titled({ title, unit }) {
  return unit ? `${title}, ${unit}` : title;
}

export function firstDirection(column) {
  return column.better === "higher" ? "descending" : "ascending";
}
