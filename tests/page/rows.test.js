import assert from "node:assert/strict";
import test from "node:test";
import { addressOf, readAddress, rememberQuery } from "../../llpbench/board/templates/scripts/address.js";
import { address, beyond, isScored, metric, pairOf } from "../../llpbench/board/templates/scripts/rows.js";
import { csvCell, csvOf } from "../../llpbench/board/templates/scripts/csv.js";
import { condition, isFound } from "../../llpbench/board/templates/scripts/filters.js";
import { firstDirection, isBetter, sorted, valueColumns } from "../../llpbench/board/templates/scripts/columns.js";
import { makeRow } from "./page.js";

test("an address says what is shown, whatever ids are made of", () => {
  const place = { dataset: "a/b?", track: "inductive" };
  const hash = address(place, "entry", "x #%\u00e9/<y>");
  assert.match(hash, /^#a%2Fb%3F\/inductive\/entry\/[\w%.-]+$/);
  assert.deepEqual(readAddress(hash), { parts: ["a/b?", "inductive", "entry", "x #%\u00e9/<y>"], query: "" });
  for (const nothing of ["", "#"]) assert.deepEqual(readAddress(nothing), { parts: [], query: "" });
  for (const broken of ["#%", "#a/%E0%A4%A", `#${"a".repeat(5000)}`]) assert.equal(readAddress(broken), null);
  assert.deepEqual(readAddress("#a/b?q=1?2"), { parts: ["a", "b"], query: "q=1?2" });
});

test("a link back to a table leads to it as it was left", () => {
  const place = { dataset: "land", track: "inductive" };
  rememberQuery(place, "sort=skill");
  assert.equal(address(place), "#land/inductive?sort=skill");
  assert.equal(address(place, "entry", "a"), "#land/inductive/entry/a");
  assert.equal(address({ ...place, track: "other" }), "#land/other");
  assert.equal(addressOf(["land", "inductive"]), "#land/inductive");
});

test("a score that is not there has neither value nor interval", () => {
  assert.deepEqual(metric(makeRow("a", null), "mae"), { value: null, low: null, high: null });
  assert.ok(isScored(makeRow("a", 0.1)));
  assert.ok(!isScored(makeRow("a", 0.1, { kind: "reported" })));
  const entry = { external_data: [], pretrained_weights: ["ImageNet"] };
  assert.deepEqual(beyond(makeRow("a", 0.1, { entry })), ["pretrained weights"]);
  assert.deepEqual(beyond(makeRow("a", 0.1)), []);
});

test("coverage is better the nearer it is to its level, and blank without intervals", () => {
  const metrics = { mae: { value: 0.1 }, coverage_90: { value: 0.97 }, interval_score_90: { value: 0.3 } };
  const known = [{ name: "mae", better: "lower" }, { name: "coverage_90", better: "level" }, { name: "interval_score_90", better: "lower" }, { name: "skill", better: "higher" }];
  const table = { metrics: known, rows: [makeRow("a", 0.1, { metrics }), makeRow("b", 0.2)] };
  const columns = valueColumns(table);
  const [, score, coverage] = columns;
  assert.deepEqual(columns.map((column) => column.name), ["mae", "interval_score_90", "coverage_90"]);
  assert.equal(coverage.text(table.rows[1]), "");
  assert.ok(isBetter(coverage, 0.88, 0.97) && !isBetter(coverage, 0.97, 0.88) && isBetter(coverage, 0.91, 0.87));
  assert.ok(isBetter(score, 0.2, 0.3) && !isBetter(score, 0.3, 0.2) && !isBetter(score, 0.2, null));
  assert.ok(isBetter({ better: "higher" }, 0.3, 0.2) && !isBetter({ better: "higher" }, 0.2, 0.3));
  assert.deepEqual(valueColumns({ ...table, rows: [table.rows[1]] }).map((column) => column.name), ["mae"]);
});

test("a pair is found either way round, and turned", () => {
  const pairs = [
    { first: "a", second: "c", difference: 9, low: 9, high: 9, p_value: 0.5 },
    { first: "a", second: "b", difference: -0.5, low: -0.75, high: 0.25, p_value: 0.5, corrected: 0.04, corrected_low: -0.9, corrected_high: -0.1 },
  ];
  assert.equal(pairOf(pairs, "a", "b"), pairs[1]);
  assert.deepEqual(pairOf(pairs, "b", "a"), { ...pairs[1], first: "b", second: "a", difference: 0.5, low: -0.25, high: 0.75, corrected_low: 0.1, corrected_high: 0.9 });
  assert.equal(pairOf(pairs, "b", "c"), null);
  const few = [{ first: "a", second: "b", difference: 1, low: null, high: null }];
  assert.equal(pairOf(few, "b", "a").low, null);
});

const table = {
  metrics: [{ name: "mae", better: "lower" }, { name: "f1_micro", better: "higher" }],
  rows: [makeRow("b", 0.2, { footprint: { parameters: 5 } }), makeRow("none", null), makeRow("a", 0.1)],
};

test("rows without a value come last in both directions", () => {
  const [mae, parameters, ...others] = valueColumns(table);
  assert.deepEqual([mae.name, parameters.name, others.length], ["mae", "parameters", 0]);
  const ids = (direction) => sorted(table.rows, mae, direction).map((row) => row.id);
  assert.deepEqual(ids("ascending"), ["a", "b", "none"]);
  assert.deepEqual(ids("descending"), ["b", "a", "none"]);
  assert.deepEqual(["lower", "higher"].map((better) => firstDirection({ better })), ["ascending", "descending"]);
});

const file = { file_format: "litert", quantize: "int8", bytes: 9170, latency_p50_ms: 0.4, latency_p95_ms: 0.5, memory_bytes: null };

test("rows that carry a file have columns of it, on the page and in CSV", () => {
  const rows = [makeRow("flies", 0.1, { part: { export: file } }), makeRow("stays", 0.2, { part: { export: null } }), makeRow("reported", 0.3, { part: null })];
  const [, size, latency, ...others] = valueColumns({ ...table, rows });
  assert.deepEqual(others, []); // no memory is known
  assert.deepEqual([size.text(rows[0]), size.note(rows[0])], ["9.2\u202fkB", "LiteRT, int8"]);
  assert.deepEqual([latency.text(rows[0]), latency.note(rows[0])], ["0.40 ms", "95 % within 0.50 ms"]);
  assert.deepEqual(rows.map(size.value), [9170, null, null]);
  const [head, ...lines] = csvOf({ ...table, rows }, rows, {}).trim().split("\r\n").map((line) => line.split(","));
  assert.deepEqual(lines.map((line) => line[head.indexOf("export_bytes")]), ["9170", "", ""]);
  assert.equal(lines[0][head.indexOf("export_quantize")], "int8");
});

test("conditions are read as people write them", () => {
  const keeps = (text, better, ...values) => values.filter(condition(text, better));
  assert.deepEqual(keeps("0.12", "lower", 0.1, 0.12, 0.13, null), [0.1, 0.12]);
  assert.deepEqual(keeps("0.12", "higher", 0.1, 0.12, 0.13), [0.12, 0.13]);
  assert.deepEqual(keeps("> 5k", "lower", 5000, 5001), [5001]);
  assert.deepEqual(keeps("10%..15%", "lower", 0.1, 0.15, 0.16), [0.1, 0.15]);
  assert.deepEqual(keeps("\u2265 -1e-3", "lower", -0.001, -0.002), [-0.001]);
  assert.equal(condition("small, please", "lower"), null);
  assert.ok(isFound(makeRow("Ridge", 0.1), ["ridge", "tar"]));
  assert.ok(!isFound(makeRow("Ridge", 0.1), ["ridge", "delft"]));
});

test("cells of CSV are quoted, and no spreadsheet takes one for a formula", () => {
  assert.deepEqual(["=1+1", "+1", "-1", "@a", "\ta"].map(csvCell), ["'=1+1", "'+1", "'-1", "'@a", "'\ta"]);
  assert.deepEqual([-1.5, null, undefined].map(csvCell), ["-1.5", "", ""]);
  assert.equal(csvCell('a "b",\nc'), '"a ""b"",\nc"');
  const [head, ...lines] = csvOf(table, [table.rows[2], table.rows[0]], { digest: "sha256:a", filters: "MAE <1, x" }).trim().split("\r\n");
  const names = head.split(",");
  assert.deepEqual(lines.map((line) => line.split(",")[0]), ["a", "b"]);
  assert.equal(lines[1].split(",")[names.indexOf("mae_high")], String(0.2 + 0.1));
  assert.equal(lines[1].split(",")[names.indexOf("parameters")], "5");
  assert.deepEqual(names.slice(-2), ["digest", "filters"]);
  assert.ok(lines.every((line) => line.endsWith(',sha256:a,"MAE <1, x"')));
});
