import assert from "node:assert/strict";
import test from "node:test";
import { makeRow, openBoard } from "./page.js";

openBoard([]);
const { datasetsOf, gridScale, leadersOf, overviewSentence } = await import("../../llpbench/board/templates/scripts/overview.js");
const { errorsByDay } = await import("../../llpbench/board/templates/scripts/over_time.js");

const score = (value, half = 0.01) => ({ value, low: value - half, high: value + half });
const line = (id, aggregate, kind = "entry") => ({ id, kind, title: id, team: "tartu", scores: [aggregate, aggregate], aggregate });
const tableOf = (dataset, synthetic, rows = []) => ({ dataset, track: "inductive", synthetic, rows, byId: new Map(rows.map((row) => [row.id, row])) });
const overviewOf = (lines) => ({ track: "inductive", datasets: ["made", "land"], titles: ["Made (synthetic)", "Land"], aggregated: "mean", metric: { name: "skill" }, lines });

test("real datasets come first, each with the scores of its own place", () => {
  const columns = datasetsOf(overviewOf([]), [tableOf("made", true), tableOf("land", false)]);
  assert.deepEqual(columns.map(({ title, place }) => [title, place]), [["Land", 1], ["Made", 0]]);
});

test("the sentence says who is best, how sure that is, and on which data", () => {
  const tables = [tableOf("made", true, [makeRow("a", 0.1, { designed_here: true })]), tableOf("land", false)];
  const say = (lines, there = tables) => overviewSentence(overviewOf(lines), datasetsOf(overviewOf(lines), there));
  assert.equal(say([line("bound", score(0.9), "bound"), line("a", score(0.5)), line("b", score(0.495))]),
    "a has the best mean skill, 0.500 (95 % 0.490 to 0.510), before b with 0.495."
    + " a was designed or tuned on labels of Made: no independent result there. Synthetic: Made.");
  const next = (behind) => say([line("b", score(0.5)), { ...line("a", score(0.495)), behind }]);
  assert.match(next(score(0.005, 0.001)), /, before a with 0\.495 \(0\.005 lower on the same divisions, 95 % 0\.004 to 0\.006\)\. Synthetic: Made\.$/);
  assert.match(next(score(0.005)), /, not told apart from a with 0\.495 \(the difference on the same divisions is 0\.005, 95 % \u22120\.005 to 0\.015\)\./);
  assert.match(say([line("a", null)]), /^No ranked method has an aggregate/);
  const both = ["made", "land"].map((dataset) => tableOf(dataset, false, [makeRow("a", 0.1, { designed_here: true })]));
  assert.match(say([line("a", score(0.5))], both), /tuned on labels of all these data/);
  const made = [tableOf("made", true), tableOf("land", true)];
  assert.match(say([line("b", score(0.5))], made), /All of these data are synthetic/);
});

test("leaders are the best entry and those not told apart from it", () => {
  const rows = [[1, 1], [2, 1], [3, 2]].map(([rank, group]) => makeRow(`r${rank}`, rank, { rank: { rank, group } }));
  assert.deepEqual([...leadersOf(tableOf("land", false, rows))], [["r1", "best"], ["r2", "tied"]]);
  assert.equal(leadersOf(tableOf("land", false)).size, 0);
});

test("one scale for the whole grid, with zero on it", () => {
  const scale = gridScale([line("a", score(0.5, 0.5)), { scores: [null, score(0.25, 0)] }]);
  assert.deepEqual([0, 0.25, 1].map(scale.place), ["0.0%", "25.0%", "100.0%"]);
  assert.equal(gridScale([line("a", score(-1, 0))]).place(0), "100.0%");
  const far = gridScale([line("a", score(0.9, 0)), line("b", score(-8, 0))]); // a third of what is above zero is left below
  assert.deepEqual([far.low.toFixed(3), far.place(-8), far.place(0)], ["-0.300", "0.0%", "25.0%"]);
});

test("the best so far falls from day to day", () => {
  const rows = [["a", 0.3, "2026-01-01"], ["b", 0.1, "2026-03-01"], ["c", 0.2, "2026-02-01"], ["d", 0.15, "2026-04-01"], ["e", 0.01, ""]]
    .map(([id, mae, scored]) => makeRow(id, mae, { scored }));
  assert.deepEqual(errorsByDay(rows).map(({ row, isBest }) => [row.id, isBest]), [["a", true], ["c", true], ["b", true], ["d", false]]);
});
