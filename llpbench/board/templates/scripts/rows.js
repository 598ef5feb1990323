// What is asked of rows wherever they are shown, and the addresses of views.

import { addressOf, queryOf } from "./address.js";
import { isNumber } from "./numbers.js";

export const KINDS = {
  entry: "ranked entry", file: "exported file", reference: "reference", bound: "bound", reported: "reported",
};

export function metric(row, name) {
  const { value = null, low = null, high = null } = row.metrics[name] ?? {};
  return { value, low, high };
}

/** Whether there are stored scores, so that it can be compared. */
export function isScored(row) {
  return row.kind !== "reported";
}

/** The title of a dataset where a note beside it says that it is synthetic. */
export function bareTitle(title) {
  return title.replace(/ \(synthetic\)$/, "");
}

/** What an entry uses beyond the benchmark's data. */
export function beyond(row) {
  return [["external_data", "external data"], ["pretrained_weights", "pretrained weights"]]
    .filter(([field]) => row.entry?.[field].length).map(([, words]) => words);
}

/** What was found of two rows when the page was made, first minus second; null for no such pair. */
export function pairOf(comparisons, first, second) {
  const pair = comparisons.find((one) => [one.first, one.second].every((id) => id === first || id === second));
  if (!pair || pair.first === first) return pair ?? null;
  const turned = (value) => (isNumber(value) ? -value : null);
  return { ...pair, first, second, difference: turned(pair.difference), low: turned(pair.high), high: turned(pair.low),
    corrected_low: turned(pair.corrected_high), corrected_high: turned(pair.corrected_low) };
}

/** Address of a view of a table: its ranking, as it was left, or what of it is named. */
export function address(table, ...rest) {
  return addressOf([table.dataset, table.track, ...rest], rest.length ? "" : queryOf(table));
}
