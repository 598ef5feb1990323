// The columns of a ranking: how a value is found, written and ordered.

import { bytes, compact, fixed, isNumber, milliseconds } from "./numbers.js";
import { metric } from "./rows.js";

export const METRIC_COLUMNS = [
  ["mae", "MAE", 4, "Mean absolute error of predicted class shares: the ranking metric"],
  ["mae_hard", "Hard MAE", 4, "The same of shares counted on the segmentation"],
  ["skill", "Skill", 3, "1 minus MAE over that of the train mean"],
  ["f1_micro", "F1", 3, "Micro-averaged F1 of the segmentation"],
  ["division_consistency", "Consistency", 4, "Distance of a division's mean prediction from its known shares"],
  ["interval_score_90", "Interval score", 4, "Width of 90 % intervals, and a penalty for the true shares that they miss"],
  ["coverage_90", "Coverage", 3, "Part of the true shares inside their 90 % intervals: 0.9 is right"],
  ["within_division_r2", "R\u00b2 within", 3, "Share of the variance inside divisions that is explained"],
];

export const COST_COLUMNS = [
  ["parameters", "Parameters", compact, "Trainable parameters"],
  ["bytes_int8", "Bytes", bytes, "Size of the weights at one byte each"],
  ["latency_p50_ms", "Latency", milliseconds, "Median time a chip on one core"],
  ["label_uplink_bytes", "Label bytes", bytes, "Size of the labels that training needs"],
];

function metricColumn(table, [name, title, digits, help]) {
  const known = table.metrics.find((one) => one.name === name);
  const better = known?.better === "higher" ? "higher" : "lower";
  const isBar = name === "mae" || name === "mae_hard";
  return {
    name, title, digits, help, better, isBar,
    goal: known?.better === "level" ? Number(name.split("_").at(-1)) / 100 : null,
    value: (row) => metric(row, name).value,
    text: (row) => fixed(metric(row, name).value, digits),
    interval: (row) => metric(row, name),
  };
}

function costColumn([name, title, format, help]) {
  return {
    name, title, help, better: "lower",
    value: (row) => row.footprint[name] ?? null,
    text: (row) => format(row.footprint[name]),
  };
}

/** Columns that some row of the table has a value for. */
export function valueColumns(table) {
  const all = [
    ...METRIC_COLUMNS.map((one) => metricColumn(table, one)),
    ...COST_COLUMNS.map(costColumn),
  ];
  return all.filter((column) => table.rows.some((row) => isNumber(column.value(row))));
}

export const RANK_COLUMN = {
  name: "rank", title: "Rank", better: "lower",
  help: "Rank by MAE, and the ranks that the data allow",
  value: (row) => row.rank?.rank ?? null,
};
export const METHOD_COLUMN = { name: "method", title: "Method", better: "lower", help: "", value: (row) => row.title };

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

export function firstDirection(column) {
  return column.better === "higher" ? "descending" : "ascending";
}
