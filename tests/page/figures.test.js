import assert from "node:assert/strict";
import test from "node:test";
import { openBoard, makeRow } from "./page.js";
import { bibtexOf } from "../../llpbench/board/templates/scripts/citation.js";
import { outwards } from "../../llpbench/board/templates/scripts/elements.js";
import { divergingScale, errorScale, projection } from "../../llpbench/board/templates/scripts/maps.js";
import { stepOf } from "../../llpbench/board/templates/scripts/marks.js";
import { placeLabels } from "../../llpbench/board/templates/scripts/labels.js";
import { costAxis, paretoFront, unbeaten } from "../../llpbench/board/templates/scripts/scatter.js";

const points = [[1, 0.5], [2, 0.3], [2, 0.2], [3, 0.2], [4, 0.1]].map(([x, y]) => ({ x, y }));

test("the front holds what nothing beats in both", () => {
  assert.deepEqual(paretoFront(points, "lower").map(({ x, y }) => [x, y]), [[1, 0.5], [2, 0.2], [4, 0.1]]);
  assert.deepEqual(paretoFront(points, "higher").map(({ x, y }) => [x, y]), [[1, 0.5]]);
});

test("of three, what is worse in two may be on the front by the third", () => {
  const files = [[1, 0.3, 5], [2, 0.2, 5], [3, 0.25, 4], [3, 0.25, 6], [3, 0.25, 4]].map(([x, y, z]) => ({ x, y, z }));
  const found = (better) => unbeaten(files, better).map((point) => files.indexOf(point));
  assert.deepEqual(found("lower"), [0, 1, 2, 4]); // the fourth is beaten by its equals in both, which are faster
  assert.deepEqual(found("higher"), [0, 2, 4]);
});

test("a time belongs to the step that it does not exceed", () => {
  assert.deepEqual([0, 0.1, 0.11, 0.5, 30, 31].map(stepOf), [0, 0, 1, 2, 5, 6]);
});

test("a logarithmic axis has a place for zero", () => {
  const { place, ticks } = costAxis([{ x: 0 }, { x: 5 }, { x: 2e6 }], 600);
  assert.deepEqual(ticks, [0, 1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7]);
  assert.ok(place(0) < place(1));
  assert.ok(Math.abs(place(100) - place(10) - (place(10) - place(1))) < 1e-9);
  assert.deepEqual(costAxis([{ x: 0 }], 600).ticks, [0, 1, 10]);
});

test("steps of errors are 1, 2 and 5 times powers of ten, up to what all entries share", () => {
  const scale = errorScale(0.25);
  assert.deepEqual(scale.breaks, [0.005, 0.01, 0.02, 0.05, 0.1, 0.2]);
  assert.deepEqual([0, 0.005, 0.006, 99].map(scale.name), ["seq0", "seq0", "seq1", "seq6"]);
  assert.deepEqual(errorScale(0.1).breaks.at(-1), 0.1);
  assert.equal(errorScale(null).names.length, 7);
});

test("differences have the same steps on both sides of zero", () => {
  const scale = divergingScale([-0.03, 0.001, null]);
  assert.deepEqual(scale.breaks, [-0.02, -0.01, -0.005, 0.005, 0.01, 0.02]);
  assert.deepEqual([-1, 0, 1].map(scale.name), ["div0", "div3", "div6"]);
});

test("degrees of longitude are shortened as in the middle of the map", () => {
  const { width, height, place } = projection([[[[0, 59], [2, 59], [2, 61], [0, 61]]]], 760, 520);
  assert.ok(Math.abs(width / height - 0.5) < 1e-9); // the cosine of 60 degrees
  assert.equal(place([0, 61]), "0.0 0.0");
});

test("a link leads to the web or to mail, all else is text", () => {
  for (const text of ["javascript:pwned()", "data:text/html,x", " https://a.b", "//a.b"]) {
    assert.equal(outwards(text), text);
  }
});

test("citations cannot close their own braces", () => {
  const entry = { authors: [{ name: "A} B" }, { name: "C" }], paper: null, code: null };
  const text = bibtexOf({ id: "tartu__x", title: "50 % {of} \\it" }, entry);
  assert.match(text, /^@misc\{tartu__x,\n {2}title = \{50 \\% of it\},\n {2}author = \{A B and C\},/);
  assert.equal(bibtexOf({ id: "x" }, { ...entry, paper: { bibtex: " @misc{given} " } }), "@misc{given}");
});

test("tables are found by their address, details are parsed once", async () => {
  const ranked = [makeRow("a", 0.1, { rank: { rank: 1 } }), makeRow("b", 0.2, { rank: { rank: 2 } })];
  const tables = [
    { dataset: "printed", track: "inductive", rows: [] },
    { dataset: "land", track: "inductive", rows: ranked },
    { dataset: "land", track: "disaggregation", rows: [] },
  ];
  const reads = openBoard(tables, [{}, { rows: { a: { errors: [1] } }, comparisons: [7] }]);
  const state = await import("../../llpbench/board/templates/scripts/board.js");
  const found = (...place) => state.board.tables.indexOf(state.findTable(place));
  assert.equal(found("land", "disaggregation"), 2);
  assert.equal(found("land"), 1);
  for (const nowhere of [["land", "no such track"], ["__proto__", "x"], []]) assert.equal(found(...nowhere), -1);
  const table = state.board.tables[1];
  assert.deepEqual(state.detailsOf(table, ranked[0]), { errors: [1] });
  assert.deepEqual(state.comparisonsIn(table), [7]);
  assert.deepEqual(reads, ["board", "details-1"]);
});

test("names stand where they cover neither a point nor one another", () => {
  const frame = { left: 0, right: 200, top: 0, bottom: 100 };
  const mark = ({ x, y }) => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 });
  const close = ["best", "next", "third", "fourth", "no room"].map((name, n) => ({ x: 100 + 2 * n, y: 50, name, reach: 8 }));
  const labels = placeLabels(close, close.map(mark), frame);
  assert.deepEqual(labels.map(({ name }) => name), ["best", "next", "third", "fourth"]);
  assert.deepEqual(labels.map(({ anchor }) => anchor), ["start", "end", "start", "end"]);
  assert.equal(placeLabels([{ x: 190, y: 50, name: "at the edge", reach: 8 }], [], frame)[0].anchor, "end");
  const boxes = [...labels.map(({ box }) => box), ...close.map(mark)];
  assert.ok(labels.every(({ box }) => boxes.filter((other) => box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom).length === 1));
  assert.equal(placeLabels([{ x: 10, y: 50, name: "n".repeat(90), reach: 8 }], [], frame)[0], undefined);
});
