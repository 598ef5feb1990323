// What people write above a column or into the search, as conditions on rows.

import { isNumber } from "./numbers.js";
import { beyond } from "./rows.js";

const FACTORS = { k: 1e3, m: 1e6, g: 1e9, "%": 0.01, "": 1 };
const AMOUNT = "(-?[0-9]*\\.?[0-9]+(?:e[-+]?[0-9]+)?)\\s*([kmg%]?)";
const BOUND = new RegExp(`^(<=|>=|<|>|=|\u2264|\u2265)?\\s*${AMOUNT}$`, "i");
const BETWEEN = new RegExp(`^${AMOUNT}\\s*(?:\\.\\.|to)\\s*${AMOUNT}$`, "i");

const COMPARISONS = {
  "<": (value, limit) => value < limit,
  ">": (value, limit) => value > limit,
  "<=": (value, limit) => value <= limit,
  ">=": (value, limit) => value >= limit,
  "=": (value, limit) => value === limit,
};

function amount(digits, unit) {
  return Number(digits) * FACTORS[unit.toLowerCase()];
}

/**
 * A condition on a number: "<0.1", ">= 5k", "0.1..0.2"; a number alone keeps what is as good.
 * Null where the text says nothing that can be read.
 */
export function condition(text, better) {
  const written = text.trim().replace("\u2264", "<=").replace("\u2265", ">=").replace("\u2212", "-");
  if (!written) return () => true;
  const between = BETWEEN.exec(written);
  if (between) {
    const [low, high] = [amount(between[1], between[2]), amount(between[3], between[4])];
    return (value) => isNumber(value) && value >= low && value <= high;
  }
  const bound = BOUND.exec(written);
  if (!bound) return null;
  const holds = COMPARISONS[bound[1] ?? (better === "higher" ? ">=" : "<=")];
  const limit = amount(bound[2], bound[3]);
  return (value) => isNumber(value) && holds(value, limit);
}

function searchText(row) {
  const designed = row.designed_here && "designed here";
  return [row.title, row.team, row.id, row.supervision, row.tier, row.kind, row.trained_on, row.scored, designed, ...beyond(row)].filter(Boolean).join(" ").toLowerCase();
}

/** Whether every word is somewhere in the row. */
export function isFound(row, words) {
  row.searched ??= searchText(row);
  return words.every((word) => row.searched.includes(word));
}
