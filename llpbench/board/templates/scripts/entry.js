// The page of an entry, or of a reported result.

import { codeBlock, field, html, outwards, section, tableOf, termList } from "./elements.js";
import { bytes, compact, duration, fixed, grouped, milliseconds, plural, range } from "./numbers.js";
import { address, isScored, metric } from "./rows.js";
import { detailsOf, placeOf, rankedIn } from "./board.js";
import { badges } from "./badges.js";
import { divisionMap, divisionTable, sequentialScale } from "./maps.js";
import { perClass, reliability } from "./charts.js";
import { examples } from "./examples.js";
import { bibtexOf } from "./citation.js";

function rankSentence(table, row) {
  const outside = { reference: "A reference outside the ranking.", bound: "A bound outside the ranking: it saw labels that the others do not.", reported: "Reported elsewhere, not scored here, outside the ranking." };
  if (!row.rank) return outside[row.kind] ?? "Outside the ranking.";
  const ranked = rankedIn(table);
  const { rank, low, high, group } = row.rank;
  const mates = ranked.filter((one) => one !== row && one.rank.group === group).length;
  const possible = low === high ? "the data allow no other rank" : `the data allow ranks ${low} to ${high}`;
  const ties = mates ? `, tied with ${plural(mates, "other")}` : ", alone";
  return `Rank ${rank} of ${ranked.length}; ${possible}. In tie group ${group}${ties}.`;
}

function allMetrics(table, row) {
  const lines = table.metrics.filter(({ name }) => row.metrics[name]).map(({ name, title }) => {
    const { value, low, high } = metric(row, name);
    return [title, fixed(value, 4) || "\u2013", range(low, high, 4) || "\u2013"];
  });
  return tableOf(["Score", "Value", "95 % interval"], lines);
}

function people(authors) {
  return html("ul", { class: "people" }, authors.map(({ name, affiliation, orcid }) => html("li", {},
    orcid ? outwards(`https://orcid.org/${orcid}`, name) : name, affiliation && html("span", { class: "muted" }, `, ${affiliation}`))));
}

function disclosure(row, entry, part) {
  const { paper, code, contact } = entry;
  const published = paper && [paper.url ? outwards(paper.url, paper.title) : paper.title, paper.doi && [" ", outwards(`https://doi.org/${paper.doi}`, `doi:${paper.doi}`)]];
  const mail = contact.includes("@") && !contact.includes("/");
  return termList([
    ["Authors", people(entry.authors)],
    ["Contact", outwards(mail ? `mailto:${contact}` : contact, contact)],
    ["Paper", published],
    ["Code", code && [outwards(code.url), " at ", html("code", {}, code.commit.slice(0, 12))]],
    ["Licence", entry.licence],
    ["Supervision", entry.supervision],
    ["Trained on", row.trained_on],
    ["Selection", entry.selection],
    ["External data", entry.external_data.join("; ") || "none"],
    ["Pretrained weights", entry.pretrained_weights.join("; ") || "none"],
    ["Hardware", entry.hardware],
    ["Time to train", duration(part.fit_seconds)],
    ["Deterministic", entry.deterministic ? "yes: one seed is all" : "no"],
  ], { class: "facts-list" });
}

function settings(entry) {
  const names = Object.keys(entry.hyperparameters);
  if (!names.length) return null;
  return html("details", { class: "more" }, html("summary", {}, plural(names.length, "hyperparameter")),
    termList(names.map((name) => [name, String(entry.hyperparameters[name])]), { class: "facts-list" }));
}

function costs(row) {
  const of = row.footprint;
  return termList([
    ["Parameters", grouped(of.parameters)],
    ["Not trained", of.non_trainable ? grouped(of.non_trainable) : ""],
    ["Multiply-adds a chip", compact(of.multiply_adds)],
    ["Weights, float32", bytes(of.bytes_float32)],
    ["Weights, float16", bytes(of.bytes_float16)],
    ["Weights, int8", bytes(of.bytes_int8)],
    ["Median time a chip", milliseconds(of.latency_p50_ms)],
    ["95th percentile", milliseconds(of.latency_p95_ms)],
    ["Labels for training", bytes(of.label_uplink_bytes)],
    ["Pixel labels instead", bytes(of.pixel_label_bytes)],
  ], { class: "facts-list narrow" });
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
    divisionMap(divisions, values, { scale: sequentialScale(values), digits: 2, ends: ["MAE 0", "more"], what: "the mean absolute error", format }),
    divisionTable(divisions, values, "MAE", format));
}

function rerun({ rerun: again }) {
  if (!again) return null;
  const place = again.inside ? "inside the interval" : "outside the interval";
  return html("p", {}, `Run again with llpbench ${again.llpbench_version}: MAE ${fixed(again.value, 4)}, ${place}.`);
}

function provenance({ part, result }) {
  const { dataset, predictions, scorer } = result.digests;
  const segmentations = result.pixels && part.segmentations ? part.segmentations.digests : [];
  const code = (text) => html("code", { class: "digest" }, text);
  return html("details", { class: "more" }, html("summary", {}, "Digests of data, predictions and scorer"),
    termList([["Dataset", code(dataset)], ["Predictions", predictions.map(code)], ["Segmentations", segmentations.map(code)], ["Scorer", scorer]], { class: "facts-list" }));
}

function comparisons(table, row) {
  const others = table.rows.filter((one) => one !== row && isScored(one));
  if (!isScored(row) || !others.length) return null;
  const choose = html("select", { id: "compare-with", on: { change: () => (location.hash = address(table, "compare", row.id, choose.value)) } },
    html("option", { value: "" }, "choose\u2026"), others.map((one) => html("option", { value: one.id }, one.title)));
  return field("Compare with", choose);
}

export function entryView(table, row) {
  const details = detailsOf(table, row);
  const { entry, part, result } = details;
  const heading = html("div", { class: "heading" },
    html("p", { class: "back" }, html("a", { href: address(table) }, `\u2190 ${table.title}, ${table.track}`)),
    html("h2", { tabindex: -1 }, row.title),
    html("p", { class: "facts" }, row.team && `${row.team} \u00b7 `, badges(row)),
    html("p", { class: "verdict" }, rankSentence(table, row)),
    entry?.description && html("p", { class: "description" }, entry.description),
    html("div", { class: "toolbar" }, comparisons(table, row)));
  const source = details.source && section("Source", html("p", {}, details.source));
  const making = entry && section("Make it again", codeBlock(part.command, "command"), rerun(result));
  return [heading,
    html("div", { class: "columns" },
      section("Scores", allMetrics(table, row)),
      html("div", {}, perClass(table, row), result && section("Seeds", seedsTable(result)))),
    html("div", { class: "columns" }, errorMap(table, row), reliability(table, row)), examples(table, row),
    html("div", { class: "columns" },
      entry && section("What the authors say", disclosure(row, entry, part), settings(entry)),
      Object.keys(row.footprint).length > 0 && section("Cost", costs(row))),
    source, making,
    entry && section("Cite", codeBlock(bibtexOf(row, entry), "BibTeX"), provenance(details))].filter(Boolean);
}
