// Maps of divisions: a value each, in a few steps of colour that both themes define.

import { html, svg, tableOf } from "./elements.js";
import { extent, fixed, grouped, isNumber, plural, quantile } from "./numbers.js";

const LEGEND_STEP = 52;
const AT_EACH_END = 3;

/** Class of a value: the number of limits below it. */
function stepped(breaks, prefix) {
  const name = (value) => `${prefix}${breaks.filter((limit) => value > limit).length}`;
  return { breaks, name, names: [...breaks.keys(), breaks.length].map((step) => `${prefix}${step}`) };
}

/** The largest 1, 2 or 5 times a power of ten up to a value, then those below it. */
function roundSteps(largest, count) {
  const power = 10 ** Math.floor(Math.log10(largest) + 1e-9);
  const all = [0, 1, 2, 3].flatMap((down) => [5, 2, 1].map((factor) => Number((factor * power * 10 ** -down).toPrecision(1))));
  return all.filter((step) => step <= largest * (1 + 1e-9)).slice(0, count);
}

/** Steps of errors from 0 that about double, up to the limit that all entries of a table share. */
export function errorScale(limit) {
  return stepped(roundSteps(limit || 1, 6).toReversed(), "seq");
}

/** Steps on both sides of zero, which lies in the middle one; few values are beyond the last. */
export function divergingScale(values) {
  const largest = quantile(values.filter(isNumber).map(Math.abs).sort((one, other) => one - other), 0.97) || 1;
  const steps = roundSteps(largest, 3);
  return stepped([...steps.map((step) => -step), ...steps.toReversed()], "div");
}

function limitText(limit) {
  return fixed(limit, Math.max(0, Math.ceil(-Math.log10(Math.abs(limit)) - 1e-9)));
}

function mapLegend(scale, ends) {
  const width = scale.names.length * LEGEND_STEP;
  const steps = scale.names.map((name, n) => svg("rect", { class: name, x: n * LEGEND_STEP, y: 0, width: LEGEND_STEP, height: 12 }));
  const limits = scale.breaks.map((limit, n) => svg("text", { class: "tick", x: (n + 1) * LEGEND_STEP, y: 27, "text-anchor": "middle" }, limitText(limit)));
  return html("div", { class: "maplegend", style: { width: `${width}px` } },
    svg("svg", { class: "map", width, height: 30, viewBox: `0 0 ${width} 30`, role: "img", "aria-label": `Steps of colour at ${scale.breaks.map(limitText).join(", ")}` }, steps, limits),
    html("span", {}, ends[0]), html("span", {}, ends[1]));
}

/** Degrees to places in a picture, degrees of longitude shortened as in the middle of the map. */
export function projection(outlines, width, highest) {
  const points = outlines.flat(2);
  const [[west, east], [south, north]] = [0, 1].map((axis) => extent(points.map((point) => point[axis])));
  const narrow = Math.cos(((south + north) / 2) * (Math.PI / 180));
  const scale = Math.min(width / ((east - west) * narrow), highest / (north - south));
  return {
    width: (east - west) * narrow * scale,
    height: (north - south) * scale,
    place: ([x, y]) => `${((x - west) * narrow * scale).toFixed(1)} ${((north - y) * scale).toFixed(1)}`,
  };
}

/** A map of values by division, or nothing where no outlines are known. */
export function divisionMap(divisions, values, { scale, ends, what, format }) {
  const known = divisions.map((division, n) => ({ division, value: values[n] })).filter((one) => one.division.outline.length);
  if (!known.length) return html("p", { class: "muted" }, "Outlines of the divisions are not known here.");
  const { width, height, place } = projection(known.map((one) => one.division.outline), 760, 520);
  const shapes = known.map(({ division, value }) => svg("path", {
    class: isNumber(value) ? scale.name(value) : "nothing", "fill-rule": "evenodd",
    d: division.outline.map((ring) => `M${ring.map(place).join("L")}Z`).join(""),
  }, svg("title", {}, `${division.name}: ${format(value)}, ${plural(division.chips, "chip")}`)));
  const label = `Map of ${what} by division; the table below has the values`;
  return html("div", { class: "mapframe" },
    svg("svg", { class: "map", viewBox: `-2 -2 ${width + 4} ${height + 4}`, role: "img", "aria-label": label, style: { "max-width": `${Math.ceil(width) + 4}px` } }, shapes),
    mapLegend(scale, ends));
}

/** The divisions with the smallest and those with the largest values; none of few divisions. */
export function extremes(divisions, values, titles, format, isOf = [isNumber, isNumber]) {
  if (divisions.length < 4 * AT_EACH_END) return null;
  const order = divisions.map((_, n) => n).filter((n) => isNumber(values[n])).sort((one, other) => values[one] - values[other]);
  const ends = [order, order.toReversed()].map((places, end) => places.filter((n) => isOf[end](values[n])).slice(0, AT_EACH_END));
  const line = (n) => [divisions[n].name || "no division", format(values[n]), plural(divisions[n].chips, "chip")];
  return html("div", { class: "extremes" }, ends.map((places, end) => places.length > 0 && tableOf([titles[end], "", ""], places.map(line))));
}

/** The same values as a table, made when it is opened. */
export function divisionTable(divisions, values, title, format) {
  const box = html("details", { class: "more" }, html("summary", {}, `${plural(divisions.length, "division")} as a table`));
  box.addEventListener("toggle", () => {
    if (box.querySelector("table")) return;
    const order = divisions.map((_, n) => n).sort((one, other) => values[other] - values[one]);
    const lines = order.map((n) => [divisions[n].name || "no division", format(values[n]), grouped(divisions[n].chips)]);
    box.append(html("div", { class: "scroller tall", role: "region", tabindex: 0, "aria-label": title }, tableOf(["Division", title, "Chips"], lines)));
  });
  return box;
}
