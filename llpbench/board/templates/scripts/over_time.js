// How the best error of a table has fallen since its first entry was scored.

import { html, section, svg, tableOf } from "./elements.js";
import { day, extent, fixed, isNumber, tickDigits, ticks } from "./numbers.js";
import { address, metric } from "./rows.js";
import { rankedIn } from "./board.js";
import { drawNear } from "./later.js";

const FRAME = { left: 60, right: 24, top: 16, bottom: 36, height: 260 };
const MANY = 60;
const DAY = 86_400_000;

/** Ranked entries by the day they were scored; of each whether it was the best until then. */
export function errorsByDay(rows) {
  const dated = rows.map((row) => ({ row, time: Date.parse(row.scored), mae: metric(row, "mae").value }))
    .filter(({ time, mae }) => Number.isFinite(time) && isNumber(mae))
    .sort((one, other) => one.time - other.time || one.mae - other.mae);
  let best = Infinity;
  for (const point of dated) {
    point.isBest = point.mae < best;
    best = Math.min(best, point.mae);
  }
  return dated;
}

function axesOverTime(points, width) {
  const [first, last] = extent(points.map((point) => point.time));
  const [low, high] = extent(points.map((point) => point.mae));
  const margin = (high - low) * 0.08 || 0.01;
  const [from, to] = [Math.max(0, low - margin), high + margin];
  return {
    first, last, ticks: ticks(from, to, 5),
    x: (time) => FRAME.left + 10 + ((width - FRAME.left - FRAME.right - 20) * (time - first)) / (last - first),
    y: (mae) => FRAME.top + ((FRAME.height - FRAME.top - FRAME.bottom) * (to - mae)) / (to - from),
  };
}

/** Round numbers of days between the first and the last, told apart by their dates. */
function daysShown({ first, last }, width) {
  const count = Math.min(Math.floor(width / 170), Math.round((last - first) / DAY));
  return Array.from({ length: count + 1 }, (_, n) => first + DAY * Math.round(((last - first) * n) / count / DAY));
}

function frameOverTime(axes, width) {
  const bottom = FRAME.height - FRAME.bottom;
  return [
    axes.ticks.map((mae) => [
      svg("line", { class: "grid", x1: FRAME.left, x2: width - FRAME.right, y1: axes.y(mae), y2: axes.y(mae) }),
      svg("text", { class: "tick", x: FRAME.left - 8, y: axes.y(mae) + 4, "text-anchor": "end" }, fixed(mae, tickDigits(axes.ticks))),
    ]),
    daysShown(axes, width).map((time, n, all) => svg("text", {
      class: "tick", x: axes.x(time), y: bottom + 20, "text-anchor": n === 0 ? "start" : n === all.length - 1 ? "end" : "middle",
    }, new Date(time).toISOString().slice(0, 10))),
    svg("text", { class: "axis", x: -(FRAME.top + bottom) / 2, y: 14, transform: "rotate(-90)", "text-anchor": "middle" }, "MAE (lower is better)"),
  ];
}

function drawOverTime(table, points, width, said) {
  const axes = axesOverTime(points, width);
  const best = points.filter((point) => point.isBest);
  const steps = best.map(({ time, mae }, n) => (n ? `H${axes.x(time)}V${axes.y(mae)}` : `M${axes.x(time)} ${axes.y(mae)}`)).join("");
  const marks = points.map(({ row, time, mae, isBest }) => {
    const words = `${row.title}: MAE ${fixed(mae, 4)}, ${day(row.scored)}`;
    const say = () => said.replaceChildren(words);
    return svg("a", { href: address(table, "entry", row.id), class: isBest ? "entry best" : "entry", tabindex: isBest ? null : -1, "aria-label": words, on: { pointerenter: say, focus: say } },
      svg("circle", { cx: axes.x(time), cy: axes.y(mae), r: isBest ? 5 : 4 }));
  });
  return svg("svg", { class: "scatter", width, height: FRAME.height, viewBox: `0 0 ${width} ${FRAME.height}`, role: "group", "aria-label": "Best error so far, by day; the table below has the values" },
    frameOverTime(axes, width), svg("path", { class: "front", d: `${steps}H${width - FRAME.right}` }), marks,
    svg("text", { class: "label", x: width - FRAME.right, y: axes.y(best.at(-1).mae) - 9, "text-anchor": "end" }, `best now: ${best.at(-1).row.title}`));
}

/** The plot of a table whose ranked entries were scored on different days; nothing of others. */
export function overTimeView(table) {
  const points = errorsByDay(rankedIn(table));
  if (new Set(points.map((point) => point.time)).size < 2) return null;
  const said = html("p", { class: "small" }, "Point at an entry to see its name.");
  const canvas = html("div", { class: "canvas" });
  drawNear(canvas, points.length > MANY, () => canvas.replaceChildren(drawOverTime(table, points, Math.max(canvas.clientWidth, 300), said)));
  const lines = points.filter((point) => point.isBest).map(({ row, mae }) => [day(row.scored), html("a", { href: address(table, "entry", row.id) }, row.title), fixed(mae, 4)]);
  return section("Best so far", said, canvas,
    html("details", { class: "more" }, html("summary", {}, "As a table"), tableOf(["Scored on", "Best from then on", "MAE"], lines)));
}
