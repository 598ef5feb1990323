// What an entry says of itself: who made it, how, at which cost, and digests of what was scored.

import { html, outwards, termList } from "./elements.js";
import { bytes, compact, duration, grouped, milliseconds, plural } from "./numbers.js";

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

export function costs(row) {
  const of = row.footprint;
  const each = (text) => text && `${text} a chip`;
  return termList([
    ["Parameters", grouped(of.parameters)],
    ["Not trained", of.non_trainable ? grouped(of.non_trainable) : ""],
    ["Multiply-adds", each(compact(of.multiply_adds))],
    ["Weights as float32", bytes(of.bytes_float32)],
    ["Weights as float16", bytes(of.bytes_float16)],
    ["Weights as int8", bytes(of.bytes_int8)],
    ["Time on one core, median", each(milliseconds(of.latency_p50_ms))],
    ["Time, 95th percentile", each(milliseconds(of.latency_p95_ms))],
    ["Labels for training", bytes(of.label_uplink_bytes)],
    ["Labels of all pixels instead", bytes(of.pixel_label_bytes)],
  ], { class: "facts-list narrow" });
}

export function provenance({ part, result }) {
  const { dataset, predictions, scorer } = result.digests;
  const segmentations = result.pixels && part.segmentations ? part.segmentations.digests : [];
  const code = (text) => html("code", { class: "digest" }, text);
  return html("details", { class: "more" }, html("summary", {}, "Digests of data, predictions and scorer"),
    termList([["Dataset", code(dataset)], ["Predictions", predictions.map(code)], ["Segmentations", segmentations.map(code)], ["Scorer", scorer]], { class: "facts-list" }));
}
