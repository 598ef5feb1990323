// What a row's scores rest on, as small labels.

import { html } from "./elements.js";
import { beyond } from "./rows.js";

export const TIER = {
  reproduced: ["\u2713", "its command was run again, with a result inside the interval"],
  scored: ["\u25cf", "predictions are stored and were scored here"],
  reported: ["\u275d", "printed elsewhere; not scored here"],
};

function tierBadge(tier) {
  const [sign, meaning] = TIER[tier];
  return html("span", { class: `badge ${tier}`, title: meaning }, html("span", { "aria-hidden": "true" }, sign), ` ${tier}`);
}

export function badges(row) {
  const saw = row.supervision === "division" ? [] : [`${row.supervision} labels`];
  const elsewhere = [...saw, ...beyond(row)].map((text) => html("span", { class: "badge noted" }, text));
  return html("span", { class: "badges" }, tierBadge(row.tier), elsewhere);
}
