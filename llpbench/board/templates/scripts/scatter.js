// Accuracy against cost, with the Pareto front.

import { field, html, svg } from "./elements.js";
import { compact, extent, fixed, isNumber, tickDigits, ticks } from "./numbers.js";
import { KINDS, address } from "./rows.js";
import { COST_COLUMNS, valueColumns } from "./columns.js";

const MARGIN = { left: 60, right: 24, top: 16, bottom: 44 };
const PLOT_HEIGHT = 380;
const Y_METRICS = ["mae", "mae_hard", "f1_micro", "skill"];

/** Rows that no other beats in one of both without losing in the other, cheapest first. */
export function paretoFront(points, better) {
  const sign = better === "higher" ? -1 : 1;
  const order = [...points].sort((one, other) => one.x - other.x || sign * (one.y - other.y));
  const front = [];
  for (const point of order) {
    if (!front.length || sign * (point.y - front.at(-1).y) < 0) front.push(point);
  }
  return front;
}

/** A logarithmic axis on which zero has a place of its own, on the left. */
export function costAxis(points, width) {
  const [low, high] = extent(points.map((point) => point.x).filter((x) => x > 0));
  const hasZero = points.some((point) => point.x <= 0);
  const some = Number.isFinite(low);
  const from = (some ? Math.floor(Math.log10(low) - 0.05) : 0) - (hasZero ? 1 : 0);
  const to = some ? Math.max(Math.ceil(Math.log10(high) + 0.05), from + 1) : 1;
  const inner = width - MARGIN.left - MARGIN.right;
  const place = (x) => MARGIN.left + (inner * ((x > 0 ? Math.log10(x) : from + 0.3) - from)) / (to - from);
  const powers = Array.from({ length: to - from + 1 }, (_, n) => 10 ** (from + n)).slice(hasZero ? 1 : 0);
  return { place, ticks: [...(hasZero ? [0] : []), ...powers] };
}

function scoreAxis(points) {
  const [low, high] = extent(points.flatMap((point) => [point.y, point.low, point.high]));
  const margin = (high - low) * 0.06 || 0.01;
  const [from, to] = [low - margin, high + margin];
  const inner = PLOT_HEIGHT - MARGIN.top - MARGIN.bottom;
  return { place: (y) => MARGIN.top + (inner * (to - y)) / (to - from), ticks: ticks(from, to, 6) };
}

const MARKS = {
  entry: (x, y) => svg("circle", { cx: x, cy: y, r: 5 }),
  reference: (x, y) => svg("rect", { x: x - 4.5, y: y - 4.5, width: 9, height: 9 }),
  bound: (x, y) => svg("path", { d: `M${x} ${y - 6.5}L${x + 6.5} ${y}L${x} ${y + 6.5}L${x - 6.5} ${y}Z` }),
  reported: (x, y) => svg("path", { d: `M${x} ${y - 6}L${x + 6} ${y + 5}L${x - 6} ${y + 5}Z` }),
};

function axes(xAxis, yAxis, width, xColumn, yColumn) {
  const bottom = PLOT_HEIGHT - MARGIN.bottom;
  const lines = yAxis.ticks.map((y) => [
    svg("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: yAxis.place(y), y2: yAxis.place(y) }),
    svg("text", { class: "tick", x: MARGIN.left - 8, y: yAxis.place(y) + 4, "text-anchor": "end" }, fixed(y, tickDigits(yAxis.ticks))),
  ]);
  const marks = xAxis.ticks.map((x) => [
    svg("line", { class: "grid", x1: xAxis.place(x), x2: xAxis.place(x), y1: bottom, y2: bottom + 5 }),
    svg("text", { class: "tick", x: xAxis.place(x), y: bottom + 19, "text-anchor": "middle" }, compact(x)),
  ]);
  return [lines, marks,
    svg("text", { class: "axis", x: (MARGIN.left + width - MARGIN.right) / 2, y: PLOT_HEIGHT - 4, "text-anchor": "middle" }, xColumn.title),
    svg("text", { class: "axis", x: -(MARGIN.top + bottom) / 2, y: 14, transform: "rotate(-90)", "text-anchor": "middle" }, yColumn.title)];
}

function frontLine(front, xAxis, yAxis) {
  const steps = front.map(({ x, y }, n) => (n ? `H${xAxis.place(x)}V${yAxis.place(y)}` : `M${xAxis.place(x)} ${yAxis.place(y)}`));
  return svg("path", { class: "front", d: steps.join("") });
}

/** Names beside the points of the front, where they do not cover one another. */
function frontLabels(front, xAxis, yAxis, width) {
  const taken = [];
  return front.map((point) => {
    const name = point.row.title.length > 28 ? `${point.row.title.slice(0, 27)}\u2026` : point.row.title;
    const [x, y, size] = [xAxis.place(point.x), yAxis.place(point.y), name.length * 6.6];
    const isLeft = x + size + 14 > width - MARGIN.right;
    const box = { left: isLeft ? x - size - 10 : x + 10, right: isLeft ? x - 10 : x + size + 10, y: y - 9 };
    if (taken.some((one) => Math.abs(one.y - box.y) < 15 && one.left < box.right && box.left < one.right)) return null;
    taken.push(box);
    return svg("text", { class: "label", x: isLeft ? x - 9 : x + 9, y: y - 8, "text-anchor": isLeft ? "end" : "start" }, name);
  });
}

function drawScatter(table, xColumn, yColumn, width, tip) {
  const points = table.rows
    .map((row) => ({ row, x: xColumn.value(row), y: yColumn.value(row), ...yColumn.interval(row) }))
    .filter((point) => isNumber(point.x) && isNumber(point.y));
  if (!points.length) return html("p", { class: "muted" }, "No method has both.");
  const [xAxis, yAxis] = [costAxis(points, width), scoreAxis(points)];
  const front = paretoFront(points.filter((point) => point.row.kind === "entry"), yColumn.better);
  const isFew = points.length <= 60;
  const drawn = points.map((point) => {
    const [x, y] = [xAxis.place(point.x), yAxis.place(point.y)];
    const isFront = front.includes(point);
    const whisker = (isFew || isFront) && isNumber(point.low) &&
      svg("line", { class: "whisker", x1: x, x2: x, y1: yAxis.place(point.low), y2: yAxis.place(point.high) });
    const say = () => tip.show(x, y, [html("b", {}, point.row.title), `${yColumn.title} ${yColumn.text(point.row)}, ${xColumn.title.toLowerCase()} ${xColumn.text(point.row)}`]);
    return svg("a", {
      href: address(table, "entry", point.row.id), class: `${point.row.kind}${isFront ? " best" : ""}`, tabindex: isFront ? null : -1,
      "aria-label": `${point.row.title}: ${yColumn.title} ${yColumn.text(point.row)}, ${xColumn.title} ${xColumn.text(point.row)}`,
      on: { pointerenter: say, focus: say, pointerleave: tip.hide, blur: tip.hide },
    }, whisker, MARKS[point.row.kind](x, y));
  });
  return svg("svg", { class: isFew ? "scatter" : "scatter many", width, height: PLOT_HEIGHT, viewBox: `0 0 ${width} ${PLOT_HEIGHT}`, role: "group", "aria-label": `${yColumn.title} against ${xColumn.title}; the table has the same values` },
    axes(xAxis, yAxis, width, xColumn, yColumn), frontLine(front, xAxis, yAxis), drawn, frontLabels(front, xAxis, yAxis, width));
}

function makeTip() {
  const element = html("div", { class: "tip", hidden: true });
  const show = (x, y, lines) => {
    element.replaceChildren(...lines.flatMap((line) => [line, html("br")]));
    Object.assign(element.style, { left: `${x}px`, top: `${y}px` });
    element.hidden = false;
  };
  return { element, show, hide: () => (element.hidden = true) };
}

function scatterLegend(table) {
  const kinds = Object.keys(MARKS).filter((kind) => table.rows.some((row) => row.kind === kind));
  return html("p", { class: "legend" }, kinds.map((kind) => html("span", {},
    svg("svg", { class: "scatter", width: 16, height: 16, "aria-hidden": "true" }, svg("g", { class: kind }, MARKS[kind](8, 8))), KINDS[kind])),
  html("span", {}, svg("svg", { class: "scatter", width: 24, height: 16, "aria-hidden": "true" }, svg("path", { class: "front", d: "M1 4H12V12H23" })), "Pareto front of entries"));
}

/** The plot with its two choices, drawn anew when its width changes; none of fewer than three points. */
export function scatterView(table) {
  const columns = valueColumns(table);
  const xs = columns.filter((column) => COST_COLUMNS.some(([name]) => name === column.name));
  const ys = columns.filter((column) => Y_METRICS.includes(column.name));
  const covered = (column) => table.rows.filter((row) => isNumber(column.value(row)) && isNumber(xs[0].value(row))).length;
  if (!xs.length || !ys.some((column) => covered(column) > 2)) return null;
  const competes = (column) => table.rows.some((row) => row.rank && isNumber(column.value(row)));
  const most = ys.reduce((best, one) => (covered(one) > covered(best) ? one : best));
  const chosen = { x: xs[0], y: ys.find(competes) ?? most };
  const tip = makeTip();
  const canvas = html("div", { class: "canvas" });
  const draw = () => canvas.replaceChildren(drawScatter(table, chosen.x, chosen.y, Math.max(canvas.clientWidth, 300), tip), tip.element);
  const choice = (axis, title, options) => field(title,
    html("select", { id: `plot-${axis}`, on: { change: (event) => { chosen[axis] = options.find((one) => one.name === event.target.value); draw(); } } },
      options.map((one) => html("option", { value: one.name, selected: one === chosen[axis] }, one.title))));
  new ResizeObserver(draw).observe(canvas);
  return html("section", { class: "block plot" }, html("h3", {}, "Accuracy against cost"),
    html("div", { class: "toolbar" }, choice("y", "Score", ys), choice("x", "Cost", xs), scatterLegend(table)), canvas);
}
