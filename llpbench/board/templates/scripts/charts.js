// Bars by class and reliability of an entry.

import { html, section, svg, tableOf } from "./elements.js";
import { fixed, isNumber, plural } from "./numbers.js";
import { detailsOf } from "./board.js";

const CLASS_METRICS = ["mae", "mae_hard", "f1_micro"];

function swatch(colour) {
  return svg("svg", { class: "swatch", width: 12, height: 12, "aria-hidden": "true" }, svg("rect", { width: 12, height: 12, rx: 3, fill: colour }));
}

function largestOf(columns) {
  return Math.max(...columns.flatMap((column) => Object.values(column.values)).filter(isNumber), 1e-9);
}

/** A table of values by class with bars, as long as the largest of the column or of all columns. */
export function classTable(table, columns, isSameScale = false) {
  const largest = columns.map((column) => largestOf(isSameScale ? columns : [column]));
  const lines = table.categories.map(({ name, colour }) => [
    [swatch(colour), name], ...columns.map(({ values }, n) => classBar(values[name] ?? null, largest[n], colour)),
  ]);
  return html("div", { class: "scroller", role: "region", tabindex: 0, "aria-label": "Scores by class" },
    tableOf(["Class", ...columns.map((column) => column.title)], lines, { class: "plain classes" }));
}

function classBar(value, largest, colour) {
  if (!isNumber(value)) return html("span", { class: "none" }, "\u2013");
  const width = `${(100 * Math.max(value, 0)) / largest}%`;
  return html("span", { class: "classbar" }, html("span", { class: "figure" }, fixed(value, 4)),
    html("span", { class: "track", "aria-hidden": "true" }, html("span", { style: { width, background: colour } })));
}

export function perClass(table, row) {
  const { metrics } = detailsOf(table, row);
  const columns = table.metrics.filter(({ name }) => CLASS_METRICS.includes(name)).map(({ name, title }) => ({
    title, values: metrics[name]?.per_class ?? {},
  })).filter(({ values }) => Object.keys(values).length);
  return columns.length ? section("By class", classTable(table, columns)) : null;
}

const PANEL = 150;
const INSET = 26;

function reliabilityPanel(category, bins) {
  const inner = PANEL - INSET - 6;
  const x = (share) => INSET + share * inner;
  const y = (share) => PANEL - INSET - share * inner;
  const there = bins.filter(([, , count]) => count > 0);
  const line = there.map(([predicted, truth], n) => `${n ? "L" : "M"}${x(predicted).toFixed(1)} ${y(truth).toFixed(1)}`).join("");
  const points = there.map(([predicted, truth, count]) => svg("circle", { cx: x(predicted), cy: y(truth), r: 3.2, fill: category.colour },
    svg("title", {}, `predicted ${fixed(predicted, 3)}, true ${fixed(truth, 3)}, ${plural(count, "chip")}`)));
  const frame = [0, 0.5, 1].map((share) => [
    svg("text", { class: "tick", x: x(share), y: PANEL - 10, "text-anchor": "middle" }, String(share)),
    svg("text", { class: "tick", x: INSET - 5, y: y(share) + 3, "text-anchor": "end" }, String(share)),
  ]);
  return html("figure", { class: "panel" },
    svg("svg", { class: "reliability", viewBox: `0 0 ${PANEL} ${PANEL}`, role: "img", "aria-label": `Reliability of ${category.name}: mean true share by predicted share` },
      svg("rect", { class: "frame", x: INSET, y: 6, width: inner, height: inner }),
      svg("line", { class: "diagonal", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }),
      frame, svg("path", { class: "curve", d: line }), points),
    html("figcaption", {}, swatch(category.colour), category.name));
}

export function reliability(table, row) {
  const found = detailsOf(table, row).result?.reliability ?? {};
  const panels = table.categories.filter((category) => found[category.name]?.length);
  if (!panels.length) return null;
  return section("Reliability",
    html("p", { class: "small" }, "Mean true share (upwards) by mean predicted share (rightwards), in tenths of the chips by prediction; on the dashed line predictions are right on average."),
    html("div", { class: "panels" }, panels.map((category) => reliabilityPanel(category, found[category.name]))));
}
