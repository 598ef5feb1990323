// What an entry says of itself: who made it, how, at which cost, and digests of what was scored.

import { html, outwards, section, termList } from "./elements.js";
import { bytes, compact, duration, grouped, milliseconds, plural } from "./numbers.js";
import { kindOf } from "./files.js";

function people(authors) {
  return html("ul", { class: "people" }, authors.map(({ name, affiliation, orcid }) => html("li", {},
    orcid ? outwards(`https://orcid.org/${orcid}`, name) : name, affiliation && html("span", { class: "muted" }, `, ${affiliation}`))));
}

export function disclosure(row, entry, part) {
  const { paper, code, contact } = entry;
  const published = paper && [paper.url ? outwards(paper.url, paper.title) : paper.title, paper.doi && [" ", outwards(`https://doi.org/${paper.doi}`, `doi:${paper.doi}`)]];
  const mail = contact.includes("@") && !contact.includes("/");
  return termList([
    ["Authors", people(entry.authors)],
    ["Contact", outwards(mail ? `mailto:${contact}` : contact, contact)],
    ["Paper", published],
    ["Code", code && [outwards(code.url), " at ", html("code", {}, code.commit.slice(0, 12))]],
    ["Licence", entry.licence],
    ["Designed or tuned on", entry.designed_on?.join(", ") || "none named"],
    ["Supervision", entry.supervision],
    ["Trained on", row.trained_on],
    ["Selection", entry.selection],
    ["External data", entry.external_data.join("; ") || "none"],
    ["Pretrained weights", entry.pretrained_weights.join("; ") || "none"],
    ["Hardware", entry.hardware],
    ["Time to train", duration(part.fit_seconds)],
    ["Time to predict", duration(part.predict_seconds)],
    ["Deterministic", entry.deterministic ? "yes: one seed is all" : "no"],
  ], { class: "facts-list" });
}

export function settings(entry) {
  const names = Object.keys(entry.hyperparameters);
  if (!names.length) return null;
  return html("details", { class: "more" }, html("summary", {}, plural(names.length, "hyperparameter")),
    termList(names.map((name) => [name, String(entry.hyperparameters[name])]), { class: "facts-list" }));
}

function each(text) {
  return text && `${text} a chip`;
}

export function costs(row) {
  const of = row.footprint;
  return termList([
    ["Parameters", grouped(of.parameters)],
    ["Not trained", of.non_trainable ? grouped(of.non_trainable) : ""],
    ["Multiply-adds", each(compact(of.multiply_adds))],
    ["Time in Python on one core, median", each(milliseconds(of.latency_p50_ms))],
    ["Time in Python, 95th percentile", each(milliseconds(of.latency_p95_ms))],
    ["Labels for training", bytes(of.label_uplink_bytes)],
    ["Labels of all pixels instead", bytes(of.pixel_label_bytes)],
  ], { class: "facts-list narrow" });
}

/** What made the predictions, where that was a file; nothing of other entries. */
export function fileThatFlies({ export: files }) {
  if (!files) return null;
  const seeds = files.digests.length;
  const said = seeds === 1 ? "This file, run by its own runtime," : `Files of ${seeds} seeds, run by their own runtime,`;
  return section("The file that flies",
    html("p", { class: "small" }, `${said} made the predictions that are scored here. What it costs was measured by the submitters in one thread, on the hardware that they name.`),
    termList([
      ["Format", kindOf(files)],
      ["Size", `${grouped(files.bytes)} bytes${seeds > 1 ? ", the largest" : ""}`],
      ["Time, median", each(milliseconds(files.latency_p50_ms))],
      ["Time, 95th percentile", each(milliseconds(files.latency_p95_ms))],
      ["Memory", bytes(files.memory_bytes)],
      ["SHA-256", files.digests.map((text) => html("code", { class: "digest" }, text.replace("sha256:", "")))],
    ], { class: "facts-list narrow" }));
}

export function provenance({ part, result }) {
  const { dataset, predictions, scorer } = result.digests;
  const segmentations = result.pixels && part.segmentations ? part.segmentations.digests : [];
  const code = (text) => html("code", { class: "digest" }, text);
  return html("details", { class: "more" }, html("summary", {}, "Digests of data, predictions and scorer"),
    termList([["Dataset", code(dataset)], ["Predictions", predictions.map(code)], ["Segmentations", segmentations.map(code)], ["Scorer", scorer]], { class: "facts-list" }));
}
