import assert from "node:assert/strict";
import test from "node:test";
import { makeRow } from "./page.js";
import { valueColumns } from "../../llpbench/board/templates/scripts/columns.js";
import { overlappingPairs, tieTitle, tiesOf } from "../../llpbench/board/templates/scripts/ties.js";
import { filterOf, filtersInWords, plainView, readView, writeView } from "../../llpbench/board/templates/scripts/view.js";

const rows = [makeRow("a", 0.1, { footprint: { parameters: 5 } }), makeRow("b", 0.2, { tier: "reproduced" })];
const columns = valueColumns({ metrics: [{ name: "mae", title: "MAE", better: "lower" }], rows });

test("a view is read from an address as it was written", () => {
  assert.equal(writeView(plainView()), "");
  assert.deepEqual(readView("", columns), plainView());
  const view = readView("sort=parameters&order=descending&q=bag+x&tier=scored&mae=%3C0.1&plot=mae%2Cparameters", columns);
  assert.equal(view.column.name, "parameters");
  assert.deepEqual([view.direction, view.search, view.tier, view.conditions.get("mae")], ["descending", "bag x", "scored", "<0.1"]);
  assert.deepEqual(readView(writeView(view), columns), view);
  assert.equal(writeView({ ...view, direction: "ascending", search: " ", tier: "" }), "sort=parameters&plot=mae,parameters&mae=%3C0.1");
});

test("what an address says of nothing that is here is left aside, and long texts are cut", () => {
  const hostile = "sort=__proto__&order=sideways&tier=constructor&__proto__=1&rank=1&toString=2&plot=mae,__proto__";
  assert.deepEqual(readView(hostile, columns), plainView());
  const long = readView(`q=${"x".repeat(999)}&mae=${"1".repeat(999)}`, columns);
  assert.deepEqual([long.search.length, long.conditions.get("mae").length], [200, 40]);
});

test("filters keep what they say, and say it", () => {
  const kept = (query) => rows.filter(filterOf(readView(query, columns), columns)).map((row) => row.id);
  assert.deepEqual(kept(""), ["a", "b"]);
  assert.deepEqual(kept("mae=0.15"), ["a"]);
  assert.deepEqual(kept("mae=small"), ["a", "b"]);
  assert.deepEqual(kept("tier=reproduced&q=tartu"), ["b"]);
  assert.equal(filtersInWords(readView("tier=scored&q=x&mae=%3C0.1&parameters=what", columns), columns), "search \u201cx\u201d, tier scored, MAE <0.1");
  assert.equal(filtersInWords(plainView(), columns), "");
});

const ranked = [[1, 1, 0.1], [2, 2, 0.15], [3, 1, 0.18], [4, 3, 0.6], [5, 3, 0.7]]
  .map(([rank, group, mae]) => makeRow(`r${rank}`, mae, { rank: { rank, group } }));

test("ties have letters and alternating shades, entries alone have none", () => {
  const ties = tiesOf([...ranked, makeRow("reference", 0.1)]);
  assert.deepEqual([...ties].map(([id, { letter, shade }]) => [id, letter, shade]), [["r1", "A", 0], ["r3", "A", 0], ["r4", "B", 1], ["r5", "B", 1]]);
  assert.equal(tieTitle(ties.get("r3")), "Tie A, ranks 1, 3: not told apart from r1");
  assert.equal(tieTitle(ties.get("r4")), "Tie B, ranks 4 to 5: not told apart from r4");
});

test("the best of a group and of the next are named where their intervals overlap", () => {
  assert.deepEqual(overlappingPairs(ranked).map((pair) => pair.map((row) => row.id)), [["r1", "r2"]]);
});
