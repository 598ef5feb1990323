// A few test chips: image, label, and what an entry makes of them.

import { html, section, tableOf } from "./elements.js";
import { fixed } from "./numbers.js";
import { detailsOf, placeOf } from "./board.js";

const DATA_PICTURE = /^data:image\/png;base64,[A-Za-z0-9+/=]+$/;

function picture(source, text) {
  if (!DATA_PICTURE.test(source)) return null;
  return html("figure", {}, html("img", { src: source, alt: "", width: 96, height: 96 }), html("figcaption", {}, text));
}

/** Digits of a square grid, painted in the colours of the categories. */
function segmentationPicture(digits, categories) {
  const side = Math.sqrt(digits.length);
  if (!digits || !Number.isInteger(side)) return null;
  const canvas = html("canvas", { width: side, height: side, role: "img", "aria-label": "predicted classes" });
  const brush = canvas.getContext("2d");
  for (let n = 0; n < digits.length; n++) {
    brush.fillStyle = categories[Number(digits[n])]?.colour ?? "transparent";
    brush.fillRect(n % side, Math.floor(n / side), 1, 1);
  }
  return html("figure", {}, canvas, html("figcaption", {}, "predicted"));
}

function shareBars(categories, truth, predicted) {
  const bar = (share, colour, kind) => html("span", { class: kind, style: { width: `${100 * share}%`, background: colour } });
  const lines = categories.map(({ name, colour }, n) => [
    name,
    html("td", { class: "pair" }, html("span", { "aria-hidden": "true" }, bar(truth[n], colour, "true"), bar(predicted[n], colour, "predicted"))),
    fixed(truth[n], 2), fixed(predicted[n], 2),
  ]);
  return tableOf(["", "", "true", "pred."], lines, { class: "shares" });
}

export function examples(table, row) {
  const { result } = detailsOf(table, row);
  const [shares, segmentations] = [result?.examples ?? {}, result?.pixels?.examples ?? {}];
  const shown = placeOf(table).examples.filter((one) => Object.hasOwn(shares, one.chip));
  if (!shown.length) return null;
  return section("Example chips",
    html("p", { class: "small" }, "From nearly one class to the most mixed. Upper bars are true shares, lower bars predicted ones."),
    html("div", { class: "chips" }, shown.map((one) => html("article", { class: "chip", "aria-label": `Chip ${one.chip}` },
      html("div", { class: "pictures" }, picture(one.image, "image"), picture(one.label, "label"),
        segmentationPicture(segmentations[one.chip] ?? "", table.categories)),
      shareBars(table.categories, one.truth, shares[one.chip]),
      html("p", { class: "small chipname" }, one.chip)))));
}
