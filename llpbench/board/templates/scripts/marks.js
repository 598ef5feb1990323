// What points of a plot are drawn as: a shape for each kind of row, a size for how long a file takes.

import { html, svg } from "./elements.js";
import { KINDS } from "./rows.js";

export const USUAL = 5; // pixels
const STEPS = [0.1, 0.3, 1, 3, 10, 30]; // milliseconds a chip, up to which a mark has its size

function circle(cx, cy, r) {
  return svg("circle", { cx, cy, r });
}

/** Shapes about a place; entries come last, above all else. Files are rings. */
const SHAPES = {
  bound: (x, y, r) => svg("path", { d: `M${x} ${y - 1.3 * r}L${x + 1.3 * r} ${y}L${x} ${y + 1.3 * r}L${x - 1.3 * r} ${y}Z` }),
  reference: (x, y, r) => svg("rect", { x: x - 0.9 * r, y: y - 0.9 * r, width: 1.8 * r, height: 1.8 * r }),
  reported: (x, y, r) => svg("path", { d: `M${x} ${y - 1.2 * r}L${x + 1.2 * r} ${y + r}L${x - 1.2 * r} ${y + r}Z` }),
  file: circle,
  entry: circle,
};
export const LAYERS = Object.keys(SHAPES);

export function markOf(kind, x, y, radius = USUAL) {
  return SHAPES[kind](x, y, radius);
}

/** Which step of latency a time is in, the fastest first. */
export function stepOf(time) {
  const step = STEPS.findIndex((limit) => time <= limit);
  return step < 0 ? STEPS.length : step;
}

function nameOfStep(step) {
  if (step === 0) return `up to ${STEPS[0]} ms`;
  return step === STEPS.length ? `above ${STEPS.at(-1)} ms` : `${STEPS[step - 1]} to ${STEPS[step]} ms`;
}

function radiusOfStep(step) {
  return 3.5 + 2 * step;
}

export function radiusOf(time) {
  return radiusOfStep(stepOf(time));
}

function sample(width, ...drawn) {
  return svg("svg", { class: "scatter", width, height: 16, "aria-hidden": "true" }, drawn);
}

function sampleOfStep(step) {
  const side = 2 * radiusOfStep(step) + 2;
  return svg("svg", { class: "scatter", width: side, height: side, "aria-hidden": "true" }, svg("g", { class: "file" }, markOf("file", side / 2, side / 2, radiusOfStep(step))));
}

/** What shapes, sizes and the line of a plot mean; of what is on it, and no more. */
export function legendOf(points, front, { y, size }) {
  const kinds = LAYERS.toReversed().filter((kind) => points.some(({ row }) => row.kind === kind));
  const steps = size ? [...new Set(points.map(({ row }) => stepOf(size.value(row))))].sort((one, other) => one - other) : [];
  const line = size ? `of size and ${y.title} alone` : "Pareto front of the entries shown";
  return [
    ...kinds.map((kind) => html("span", {}, sample(16, svg("g", { class: kind }, markOf(kind, 8, 8))), KINDS[kind])),
    size && html("span", {}, sample(16, svg("g", { class: "entry best" }, markOf("entry", 8, 8))), `Pareto front of size, latency and ${y.title}`),
    front.length > 1 && html("span", {}, sample(24, svg("path", { class: "front", d: "M1 4H12V12H23" })), line),
    steps.length > 0 && html("span", { class: "sizes" }, `${size.title}: `, steps.map((step) => html("span", {}, sampleOfStep(step), nameOfStep(step)))),
  ].filter(Boolean);
}
