import assert from "node:assert/strict";
import test from "node:test";
import * as numbers from "../../llpbench/board/templates/scripts/numbers.js";

test("numbers have their decimals, a real minus sign, and no negative zero", () => {
  assert.equal(numbers.fixed(-0.12345, 3), "\u22120.123");
  assert.equal(numbers.fixed(-1e-9, 3), "0.000");
  assert.equal(numbers.signed(0.5, 1), "+0.5");
  assert.equal(numbers.signed(-0.5, 1), "\u22120.5");
  assert.equal(numbers.range(0.1, 0.25, 2), "0.10 to 0.25");
});

test("what is no number is an empty text", () => {
  for (const value of [null, undefined, Number.NaN, Infinity, "1"]) {
    const written = [numbers.compact, numbers.bytes, numbers.milliseconds, numbers.duration, numbers.grouped];
    for (const write of written) assert.equal(write(value), "");
    assert.equal(numbers.fixed(value, 2), "");
    assert.equal(numbers.range(value, 1, 2), "");
  }
});

test("large and small amounts have units", () => {
  assert.deepEqual([5, 5189, 482101, 14328789].map(numbers.compact), ["5", "5.2\u202fk", "482\u202fk", "14.3\u202fM"]);
  assert.deepEqual([620, 9200].map(numbers.bytes), ["620 B", "9.2\u202fkB"]);
  assert.deepEqual([0.95, 26, 2500].map(numbers.milliseconds), ["0.95 ms", "26 ms", "2.5 s"]);
  assert.deepEqual([8.3, 123, 7200].map(numbers.duration), ["8.3 s", "2 min", "2.0 h"]);
  assert.equal(numbers.pValue(0.0004), "below 0.001");
  assert.deepEqual([numbers.plural(1, "row"), numbers.plural(1200, "row")], ["1 row", "1,200 rows"]);
});

test("a day is written out, and what is none stays as it is", () => {
  assert.equal(numbers.day("2026-11-08"), "8 November 2026");
  assert.equal(numbers.day("soon"), "soon");
});

test("ticks are round, inside, and told apart by their decimals", () => {
  const places = numbers.ticks(0.0123, 0.0987, 6);
  assert.deepEqual(places.map((place) => numbers.fixed(place, numbers.tickDigits(places))), ["0.02", "0.04", "0.06", "0.08"]);
  assert.deepEqual(numbers.ticks(-1, 1, 4), [-1, -0.5, 0, 0.5, 1]);
});

test("quantiles lie between neighbours in proportion", () => {
  assert.equal(numbers.quantile([0, 10], 0.25), 2.5);
  assert.equal(numbers.quantile([0, 1, 5], 1), 5);
  assert.deepEqual(numbers.extent([3, null, -1, Number.NaN]), [-1, 3]);
});
