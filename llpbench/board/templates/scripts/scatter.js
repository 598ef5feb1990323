// Accuracy against cost, with the Pareto front.

import { field, html, svg } from "./elements.js";
import { compact, extent, fixed, isNumber, plural, range, tickDigits, ticks } from "./numbers.js";
import { address } from "./rows.js";
import { COST_COLUMNS, FILE_BYTES, FILE_LATENCY, titled, valueColumns } from "./columns.js";
import { LAYERS, USUAL, legendOf, markOf, radiusOf } from "./marks.js";
import { placeLabels } from "./labels.js";
import { drawNear } from "./later.js";

const MARGIN = { left: 60, right: 24, top: 16, bottom: 44 };
const PLOT_HEIGHT = 380;
const ROOM_OF_TICK = 42;
const FEW = 60;
const REDRAW = 250; // milliseconds after the last change of a filter
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

/** Points that no other beats in one of three without losing in another. */
export function unbeaten(points, better) {
  const sign = better === "higher" ? -1 : 1;
  const costs = points.map(({ x, y, z }) => [x, sign * y, z]);
  const beats = (one, other) => one.every((cost, n) => cost <= other[n]) && one.some((cost, n) => cost < other[n]);
  return points.filter((_, n) => !costs.some((one) => beats(one, costs[n])));
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

function axes(xAxis, yAxis, width, { x: xColumn, y: yColumn }) {
  const bottom = PLOT_HEIGHT - MARGIN.bottom;
  const lines = yAxis.ticks.map((y) => [
    svg("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: yAxis.place(y), y2: yAxis.place(y) }),
    svg("text", { class: "tick", x: MARGIN.left - 8, y: yAxis.place(y) + 4, "text-anchor": "end" }, fixed(y, tickDigits(yAxis.ticks))),
  ]);
  const every = Math.ceil((ROOM_OF_TICK * xAxis.ticks.length) / (width - MARGIN.left - MARGIN.right));
  const marks = xAxis.ticks.map((x, n) => [
    svg("line", { class: "grid", x1: xAxis.place(x), x2: xAxis.place(x), y1: bottom, y2: bottom + 5 }),
    n % every === 0 && svg("text", { class: "tick", x: xAxis.place(x), y: bottom + 19, "text-anchor": "middle" }, compact(x)),
  ]);
  return [lines, marks,
    svg("text", { class: "axis", x: (MARGIN.left + width - MARGIN.right) / 2, y: PLOT_HEIGHT - 4, "text-anchor": "middle" }, titled(xColumn)),
    svg("text", { class: "axis", x: -(MARGIN.top + bottom) / 2, y: 14, transform: "rotate(-90)", "text-anchor": "middle" }, `${yColumn.title} (${yColumn.better} is better)`)];
}

function frontLine(front) {
  const steps = front.map(({ left, top }, n) => (n ? `H${left}V${top}` : `M${left} ${top}`));
  return front.length > 1 && svg("path", { class: "front", d: steps.join("") });
}

function labels(points, front, width) {
  const places = (some) => some.map(({ row, left, top, radius }) => ({ x: left, y: top, name: row.title, reach: radius + 3 }));
  const others = points.length > FEW ? [] : points.filter((point) => !front.includes(point)).toReversed();
  const marks = points.map(({ left, top, radius }) => ({ left: left - radius - 2, right: left + radius + 2, top: top - radius - 2, bottom: top + radius + 2 }));
  const whiskers = points.filter(({ whisker }) => whisker).map(({ left, whisker }) => ({ left: left - 1, right: left + 1, top: Math.min(...whisker), bottom: Math.max(...whisker) }));
  const steps = front.slice(1).map(({ left, top }, n) => ({ left: left - 2, right: left + 2, top: Math.min(top, front[n].top), bottom: Math.max(top, front[n].top) }));
  const frame = { left: MARGIN.left, right: width, top: 0, bottom: PLOT_HEIGHT - MARGIN.bottom };
  return placeLabels(places([...front, ...others]), [...marks, ...whiskers, ...steps], frame)
    .map(({ name, x, y, anchor }) => svg("text", { class: "label", x, y, "text-anchor": anchor }, name));
}

function pointLink(point, { table, x: xColumn, y: yColumn, size }, isBest, tip) {
  const { row, left, top, radius, whisker } = point;
  const interval = range(point.low, point.high, yColumn.digits);
  const values = [`${yColumn.title} ${yColumn.text(row)}${interval && ` (${interval})`}`, ...[xColumn, size].filter(Boolean).map((cost) => `${cost.title}: ${cost.text(row)}${cost.note ? ` (${cost.note(row)})` : ""}`)];
  const say = () => tip.show(left, top, [html("b", {}, row.title), ...values]);
  return svg("a", {
    href: address(table, "entry", row.id), class: `${row.kind}${isBest ? " best" : ""}`, tabindex: -1, "aria-label": `${row.title}: ${values.join(", ")}`,
    on: { pointerenter: say, focus: say, pointerleave: tip.hide, blur: tip.hide },
  }, whisker && svg("line", { class: "whisker", x1: left, x2: left, y1: whisker[0], y2: whisker[1] }), markOf(row.kind, left, top, radius));
}

/** Points are one stop of the tab key; arrow keys go from one to the next, by cost. */
function walkBetween(links) {
  links[0]?.setAttribute("tabindex", 0);
  return (event) => {
    const here = links.indexOf(document.activeElement);
    const next = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: links.length - 1 }[event.key];
    if (here < 0 || !links[next]) return;
    event.preventDefault();
    links[here].setAttribute("tabindex", -1);
    links[next].setAttribute("tabindex", 0);
    links[next].focus();
  };
}

/** Rows that have both; a file is its method once more where a cost is not of files. */
function pointsOf(rows, { x, y, size }) {
  return rows.filter((row) => x.isOfFiles || row.kind !== "file").map((row) => Object.assign({ row, x: x.value(row), y: y.value(row), z: size?.value(row) ?? 0 }, y.interval(row)))
    .filter((point) => isNumber(point.x) && isNumber(point.y));
}

/** The plot of some rows, on the axes of all rows of the table, so that filters move no point. */
function drawScatter({ table, x, y }, rows, width, tip) {
  const plot = { table, x, y, size: x === FILE_BYTES ? FILE_LATENCY : null };
  const all = pointsOf(table.rows, plot);
  const [xAxis, yAxis] = [costAxis(all, width), scoreAxis(all)];
  const kept = pointsOf(rows, plot);
  const entries = kept.filter((point) => point.row.kind === (x.isOfFiles ? "file" : "entry"));
  const steps = new Set(paretoFront(entries, y.better).map((point) => point.row));
  const best = plot.size ? new Set(unbeaten(entries, y.better).map((point) => point.row)) : steps;
  const layer = ({ row }) => LAYERS.indexOf(row.kind) + best.has(row);
  const points = kept.toSorted((one, other) => layer(one) - layer(other) || other.z - one.z).map((point) => Object.assign(point, {
    left: xAxis.place(point.x), top: yAxis.place(point.y), radius: plot.size ? radiusOf(point.z) : USUAL,
    whisker: (kept.length <= FEW || best.has(point.row)) && isNumber(point.low) && [yAxis.place(point.low), yAxis.place(point.high)],
  }));
  const front = points.filter(({ row }) => steps.has(row)).sort((one, other) => one.x - other.x);
  const links = new Map(points.map((point) => [point, pointLink(point, plot, best.has(point.row), tip)]));
  const order = [...points].sort((one, other) => one.x - other.x || one.y - other.y).map((point) => links.get(point));
  const name = `${y.title} against ${titled(x)}, ${plural(points.length, "point")}: arrow keys go from one to the next; the table has the same values`;
  const drawing = svg("svg", { class: kept.length <= FEW ? "scatter" : "scatter many", width, height: PLOT_HEIGHT, viewBox: `0 0 ${width} ${PLOT_HEIGHT}`, role: "group", "aria-label": name, on: { keydown: walkBetween(order) } },
    axes(xAxis, yAxis, width, plot), frontLine(front), [...links.values()], labels(points, front, width));
  return { drawing, legend: legendOf(points, front, plot), count: points.length === all.length ? "" : `${points.length} of ${plural(all.length, "point")}, on the axes of all` };
}

function makeTip(canvas) {
  const element = html("div", { class: "tip", hidden: true });
  const show = (x, y, lines) => {
    element.replaceChildren(...lines.flatMap((line, n) => (n ? [html("br"), line] : [line])));
    element.hidden = false;
    const half = element.offsetWidth / 2;
    const left = Math.max(half, Math.min(x, canvas.clientWidth - half));
    element.classList.toggle("below", y < element.offsetHeight + 14);
    Object.assign(element.style, { left: `${left}px`, top: `${y}px` });
  };
  return { element, show, hide: () => (element.hidden = true) };
}

/** Where a plot is drawn, with what its marks mean; and how to draw it anew, or of other rows. */
export function drawnPlot(plot) {
  const canvas = html("div", { class: "canvas" });
  const legend = html("p", { class: "legend" });
  const note = html("p", { class: "small", role: "status" });
  const tip = makeTip(canvas);
  let [rows, waiting] = [plot.table.rows, 0];
  const draw = () => {
    const drawn = drawScatter(plot, rows, Math.max(canvas.clientWidth, 300), tip);
    tip.hide();
    canvas.replaceChildren(drawn.drawing, tip.element);
    legend.replaceChildren(...drawn.legend);
    note.textContent = drawn.count;
  };
  drawNear(canvas, plot.table.rows.length > FEW, draw);
  const show = (kept) => {
    rows = kept;
    clearTimeout(waiting);
    if (canvas.firstChild) waiting = setTimeout(draw, REDRAW);
  };
  return { elements: [legend, note, canvas], draw, show };
}

/**
 * The plot with its two choices, and how to show other rows on it; none of fewer than three points.
 * `written` is a choice of score and cost as an address has it, `changed` is told of another one.
 */
export function scatterView(table, written, changed) {
  const columns = valueColumns(table);
  const xs = columns.filter((column) => COST_COLUMNS.includes(column));
  const ys = columns.filter((column) => Y_METRICS.includes(column.name));
  const covered = (column) => table.rows.filter((row) => isNumber(column.value(row)) && isNumber(xs[0].value(row))).length;
  if (!xs.length || !ys.some((column) => covered(column) > 2)) return null;
  const competes = (column) => table.rows.some((row) => row.rank && isNumber(column.value(row)));
  const most = ys.reduce((best, one) => (covered(one) > covered(best) ? one : best));
  const plain = { y: ys.find(competes) ?? most, x: xs[0] };
  const [score, cost] = written.split(",");
  const plot = { table, y: ys.find(({ name }) => name === score) ?? plain.y, x: xs.find(({ name }) => name === cost) ?? plain.x };
  const { elements, draw, show } = drawnPlot(plot);
  const choose = (axis, column) => {
    plot[axis] = column;
    draw();
    changed(plot.x === plain.x && plot.y === plain.y ? "" : `${plot.y.name},${plot.x.name}`);
  };
  const choice = (axis, title, options) => field(title,
    html("select", { id: `plot-${axis}`, on: { change: (event) => choose(axis, options.find((one) => one.name === event.target.value)) } },
      options.map((one) => html("option", { value: one.name, selected: one === plot[axis] }, titled(one)))));
  const element = html("section", { class: "block plot" }, html("h3", {}, "Accuracy against cost"),
    html("div", { class: "toolbar" }, choice("y", "Score", ys), choice("x", "Cost", xs)), elements);
  return { element, show };
}
