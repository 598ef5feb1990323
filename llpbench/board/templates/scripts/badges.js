// What a row's scores rest on, as small labels.

import { html } from "./elements.js";
import { filesOf } from "./files.js";
import { beyond } from "./rows.js";

export const TIER = {
  reproduced: ["\u2713", "its command was run again, with a result inside the interval"],
  scored: ["\u25cf", "predictions are stored and were scored here"],
  reported: ["\u275d", "printed elsewhere; not scored here"],
};

export function tierBadge(tier) {
  return html("span", { class: `badge ${tier}` }, html("span", { "aria-hidden": "true" }, TIER[tier][0]), ` ${tier}`);
}

function notedBadge(text) {
  return html("span", { class: "badge noted" }, text);
}

/** Of a method that was designed or tuned on labels of this dataset: it has seen what others have not. */
export function designedBadge(row) {
  return row.designed_here ? notedBadge("designed here") : null;
}

/** What sets a row apart from others of its ranking. */
export function notedBadges(row) {
  const files = filesOf(row) ? ["exported file"] : [];
  const saw = row.supervision === "division" ? [] : [`${row.supervision} labels`];
  return [designedBadge(row), ...[...files, ...saw, ...beyond(row)].map(notedBadge)];
}

/** All of a row; what is said of its tier stands beside that. */
export function badges(row, ...ofTier) {
  return html("span", { class: "badges" }, tierBadge(row.tier), ofTier, notedBadges(row));
}
