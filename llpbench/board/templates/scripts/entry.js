// The page of an entry, or of a reported result.

import { codeBlock, field, html, outwards, section, tableOf } from "./elements.js";
import { day, fixed, plural, range } from "./numbers.js";
import { address, bareTitle, isScored, metric } from "./rows.js";
import { board, detailsOf, findTable, placeOf, rankedIn } from "./board.js";
import { TIER, badges, designedBadge } from "./badges.js";
import { definition, direction, explained } from "./definitions.js";
import { costs, disclosure, fileThatFlies, provenance, settings } from "./disclosure.js";
import { divisionMap, divisionTable, errorScale, extremes } from "./maps.js";
import { tiesOf } from "./ties.js";
import { perClass, reliability } from "./charts.js";
import { examples } from "./examples.js";
import { bibtexOf } from "./citation.js";

function rankSentence(table, row) {
  const outside = { file: "Predicted by exported files of a method, outside the ranking: what competes is the method.", reference: "A reference outside the ranking.", bound: "A bound outside the ranking: it saw labels that the others do not.", reported: "Reported elsewhere, not scored here, outside the ranking." };
  if (!row.rank) return outside[row.kind] ?? "Outside the ranking.";
  const ranked = rankedIn(table);
  const { rank, low, high } = row.rank;
  const tie = tiesOf(ranked).get(row.id);
  const possible = low === high ? "the data allow no other rank" : `the data allow ranks ${low} to ${high}`;
  const ties = tie ? `In tie ${tie.letter}, not told apart from ${plural(tie.rows.length - 1, "other")}` : "Tied with none";
  return `Rank ${rank} of ${ranked.length}; ${possible}. ${ties}.`;
}

/** The same entry in other tables. */
function elsewhere(table, row) {
  const others = board.tables.filter((one) => one !== table && isScored(row) && one.byId.has(row.id));
  return others.length > 0 && html("p", { class: "small" }, "Also on ", others.map((one, n) => [n > 0 && ", ", html("a", { href: address(one, "entry", row.id) }, `${one.title}, ${one.track}`)]));
}

/** Whether the method has seen labels of what it is scored on, where its authors say so. */
function designNote(table, row, entry) {
  const titles = (entry?.designed_on ?? []).map((name) => bareTitle(findTable([name])?.title ?? name)).join("; ");
  if (row.designed_here) {
    return html("p", { class: "disclosed" }, designedBadge(row), ` By its authors' word it was designed or tuned on labels of: ${titles || table.title}. What it scores here is no independent result.`);
  }
  return titles && html("p", { class: "small" }, `By its authors' word designed or tuned on labels of: ${titles}. Not on those of this dataset.`);
}

function allMetrics(table, row) {
  const lines = table.metrics.filter(({ name }) => row.metrics[name]).map((one) => {
    const { value, low, high } = metric(row, one.name);
    const [shown, ...button] = explained(one.title, one.definition);
    return [[`${shown} `, html("span", { class: "meant" }, direction(one), button)], fixed(value, 4) || "\u2013", range(low, high, 4) || "\u2013"];
  });
  return html("div", {},
    tableOf(["Score", "Value", "95 % interval"], lines, { class: "plain scores" }),
    html("p", { class: "small" }, "\u2191 higher is better, \u2193 lower is better, \u2192 best at that value. A question mark says what a score is."));
}

/** The same seed for seed: how much the method varies by chance. */
function seedsTable({ seeds }) {
  return tableOf(["Seed", "MAE"], Object.entries(seeds).map(([seed, mae]) => [seed, fixed(mae, 4)]));
}

function errorMap(table, row) {
  const { errors } = detailsOf(table, row);
  if (!errors.length) return null;
  const { divisions } = placeOf(table);
  const values = errors.map((sum, n) => sum / divisions[n].chips);
  const format = (value) => fixed(value, 4);
  return section("Error by division",
    html("p", { class: "small" }, "MAE of each division. The scale is the same for all methods of this table, and each step about doubles."),
    divisionMap(divisions, values, { scale: errorScale(table.error_scale), ends: ["MAE 0", "or more"], what: "the mean absolute error", format }),
    extremes(divisions, values, ["Least error", "Most error"], format),
    divisionTable(divisions, values, "MAE", format));
}

function rerun({ rerun: again }) {
  if (!again) return null;
  const place = again.inside ? "inside the interval" : "outside the interval";
  return html("p", {}, `Run again with llpbench ${again.llpbench_version}: MAE ${fixed(again.value, 4)}, ${place}.`);
}

function comparisons(table, row) {
  const others = table.rows.filter((one) => one !== row && isScored(one));
  if (!isScored(row) || !others.length) return null;
  const choose = html("select", { id: "compare-with", on: { change: () => (location.hash = address(table, "compare", row.id, choose.value)) } },
    html("option", { value: "" }, "choose\u2026"), others.map((one) => html("option", { value: one.id }, one.title)));
  return field("Compare with", choose);
}

/** Markdown of the badge that lies beside the page, with a link to this view. */
function badgeSnippet(table, row) {
  return `[![${row.id} on the llpbench leaderboard](badges/${row.id}.svg)](index.html${address(table, "entry", row.id)})`;
}

function entryHeading(table, row, { entry }) {
  const [, meaning] = TIER[row.tier];
  return html("div", { class: "heading" },
    html("p", { class: "back" }, html("a", { href: address(table) }, `\u2190 ${table.title}, ${table.track}`)),
    html("h2", { tabindex: -1 }, row.title),
    html("p", { class: "facts" }, row.team && `${row.team} \u00b7 `, badges(row, definition({ title: row.tier, definition: `${meaning[0].toUpperCase()}${meaning.slice(1)}.` })),
      row.scored && [" \u00b7 scored on ", html("time", { datetime: row.scored }, day(row.scored))],
      table.doi && [" \u00b7 dataset ", outwards(`https://doi.org/${table.doi}`, `doi:${table.doi}`)]),
    designNote(table, row, entry),
    elsewhere(table, row),
    html("p", { class: "verdict" }, rankSentence(table, row)),
    entry?.description && html("p", { class: "description" }, entry.description),
    html("div", { class: "toolbar" }, comparisons(table, row)));
}

export function entryView(table, row) {
  const details = detailsOf(table, row);
  const { entry, part, result } = details;
  const source = details.source && section("Source", html("p", {}, details.source_url ? outwards(details.source_url, details.source) : details.source));
  const making = entry && section("Make it again", codeBlock(part.command, "command"), result && rerun(result));
  return [entryHeading(table, row, details),
    html("div", { class: "columns" },
      section("Scores", allMetrics(table, row)),
      html("div", {}, perClass(table, row), result && section("Seeds", seedsTable(result)))),
    html("div", { class: "columns" }, errorMap(table, row), reliability(table, row)), examples(table, row),
    html("div", { class: "columns" },
      entry && section("What the authors say", disclosure(row, entry, part), settings(entry)),
      html("div", {}, part && fileThatFlies(part), Object.keys(row.footprint).length > 0 && section("Cost", costs(row)))),
    source, making,
    entry && html("div", { class: "columns" },
      section("Cite", codeBlock(bibtexOf(row, entry), "BibTeX"), result && provenance(details)),
      row.rank && section("Badge", html("p", { class: "small" }, "An image of the best rank that it has, made with this page. Markdown, relative to the folder of the page:"),
        codeBlock(badgeSnippet(table, row), "Markdown of the badge")))].filter(Boolean);
}
