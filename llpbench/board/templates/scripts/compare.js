// Two entries of a table against each other.

import { codeBlock, field, html, section, tableOf, termList } from "./elements.js";
import { fixed, grouped, isNumber, pValue, signed } from "./numbers.js";
import { address, isScored, metric, pairOf } from "./rows.js";
import { comparisonsIn, detailsOf, placeOf } from "./board.js";
import { isBetter, valueColumns } from "./columns.js";
import { divergingScale, divisionMap, divisionTable, extremes } from "./maps.js";
import { classTable } from "./charts.js";
import { explained } from "./definitions.js";

/** Why paired test, single intervals and ranking may disagree, where they do. */
function reconciled(first, second, { p_value: chance, corrected }) {
  const [one, other] = [first, second].map((row) => metric(row, "mae"));
  const isOverlapping = isNumber(one.low) && isNumber(other.low) && one.low <= other.high && other.low <= one.high;
  if (chance >= 0.05) return "";
  return [
    isOverlapping && " Their intervals overlap, yet differences division by division tell them apart: what is hard for one is hard for the other.",
    corrected >= 0.05 && ` Of all pairs of ranked entries some differ by chance: corrected for that, the probability is ${pValue(corrected)}, and the ranking does not tell the two apart.`,
  ].filter(Boolean).join("");
}

function verdictOf(first, second, pair) {
  if (!pair) return "These two were not compared when the page was made: the command below does it.";
  const chance = `were they equally good, a difference this large would arise with probability ${pValue(pair.p_value)}.`;
  if (pair.p_value >= 0.05) return `These two cannot be told apart: ${chance}`;
  const better = pair.difference < 0 ? first : second;
  return `${better.title} has the lower error, by ${fixed(Math.abs(pair.difference), 4)}; ${chance}${reconciled(first, second, pair)}`;
}

function intervalPicture({ difference, low, high }, first, second) {
  if (!isNumber(low)) return null;
  const reach = Math.max(Math.abs(low), Math.abs(high), 1e-9) * 1.15;
  const place = (x) => `${50 + (50 * x) / reach}%`;
  return html("div", { "aria-hidden": "true" },
    html("div", { class: "difference" },
      html("span", { class: "zero" }),
      html("span", { class: "whisker", style: { left: place(low), width: `calc(${place(high)} - ${place(low)})` } }),
      html("span", { class: "dot", style: { left: place(difference) } })),
    html("div", { class: "sides" }, html("span", {}, `\u2190 ${first.title} better`), html("span", {}, "0"), html("span", {}, `${second.title} better \u2192`)));
}

function sideBySide(table, first, second) {
  const lines = valueColumns(table).map((column) => {
    const [one, other] = [column.value(first), column.value(second)];
    const cell = (row, wins) => html("td", { class: wins ? "better" : "" }, column.text(row) || "\u2013", wins && html("span", { class: "unseen" }, " (better)"));
    return [explained(column.title, column.definition), cell(first, isBetter(column, one, other)), cell(second, isBetter(column, other, one))];
  });
  return tableOf(["", first.title, second.title], lines);
}

function classDifferences(table, first, second) {
  const [one, other] = [first, second].map((row) => detailsOf(table, row).metrics.mae.per_class);
  if (!Object.keys(one).length || !Object.keys(other).length) return null;
  return section("MAE by class", classTable(table, [{ title: first.title, values: one }, { title: second.title, values: other }], true));
}

function differenceMap(table, first, second) {
  const [one, other] = [first, second].map((row) => detailsOf(table, row).errors);
  if (!one.length || !other.length) return null;
  const { divisions } = placeOf(table);
  const values = divisions.map(({ chips }, n) => (one[n] - other[n]) / chips);
  const format = (value) => signed(value, 4);
  return section("Difference by division",
    html("p", { class: "small" }, `Error of ${first.title} minus that of ${second.title}: the middle step is about zero, the others about double on both sides.`),
    divisionMap(divisions, values, { scale: divergingScale(values), ends: [`${first.title} better`, `${second.title} better`], what: "the difference of errors", format }),
    extremes(divisions, values, [`${first.title} better`, `${second.title} better`], format, [(value) => value < 0, (value) => value > 0]),
    divisionTable(divisions, values, "Difference", format));
}

function picker(table, rows, side) {
  const change = (event) => (location.hash = address(table, "compare", ...rows.map((row, n) => (n === side ? event.target.value : row.id))));
  return field(side ? "Second" : "First", html("select", { id: `compare-${side}`, on: { change } },
    table.rows.filter(isScored).map((row) => html("option", { value: row.id, selected: row === rows[side] }, row.title))));
}

const limits = (low, high, none) => (isNumber(low) ? `${signed(low, 4)} to ${signed(high, 4)}` : none);

function pairedTest(table, first, second, pair) {
  const found = pair && [intervalPicture(pair, first, second), termList([
    ["Difference in MAE", signed(pair.difference, 4)],
    ["95 % interval", limits(pair.low, pair.high, "too few divisions")],
    ["p-value", pValue(pair.p_value)],
    ["95 % interval, corrected", isNumber(pair.corrected) ? limits(pair.corrected_low, pair.corrected_high, "without end") : ""],
    ["p-value, corrected", isNumber(pair.corrected) ? pValue(pair.corrected) : ""],
    ["Divisions", grouped(table.divisions)],
  ], { class: "facts-list narrow" }),
  html("p", { class: "small" }, "Divisions paired, seeds included: the interval holds every difference that the sign-flip permutation test does not reject.",
    isNumber(pair.corrected) && " Corrected after Holm, over all pairs of ranked entries: ranks and tie groups follow from that.",
    " The same, and for other scores:")];
  return section("Paired test", found, codeBlock(`llpbench leaderboard compare ${first.id} ${second.id}`, "command"));
}

export function compareView(table, first, second) {
  const heading = html("div", { class: "heading" },
    html("p", { class: "back" }, html("a", { href: address(table) }, `\u2190 ${table.title}, ${table.track}`)),
    html("h2", { tabindex: -1 }, `${first.title} and ${second.title}`),
    html("div", { class: "toolbar" }, [0, 1].map((side) => picker(table, [first, second], side))));
  if (first === second) return [heading, html("p", {}, "Choose two different entries.")];
  const pair = pairOf(comparisonsIn(table), first.id, second.id);
  return [heading,
    html("p", { class: "verdict" }, verdictOf(first, second, pair)),
    html("div", { class: "columns" },
      pairedTest(table, first, second, pair),
      section("Side by side", sideBySide(table, first, second))),
    html("div", { class: "columns" }, differenceMap(table, first, second), classDifferences(table, first, second))];
}
