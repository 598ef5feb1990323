// How a ranking is shown: sorted by what, and which rows are kept; in words, and in an address.

import { TIER } from "./badges.js";
import { METHOD_COLUMN, RANK_COLUMN, firstDirection } from "./columns.js";
import { condition, isFound } from "./filters.js";

/** Letters of a search and of a condition, typed or from an address. */
export const LONGEST_TEXTS = { search: 200, condition: 40 };
const ORDERS = ["ascending", "descending"];

/** As a ranking is shown at first, and again when its filters are cleared. */
export function plainView() {
  return { column: RANK_COLUMN, direction: firstDirection(RANK_COLUMN), search: "", tier: "", plot: "", conditions: new Map() };
}

/** What the query of an address says of the columns there are; all else in it is left aside. */
export function readView(query, columns) {
  const said = new URLSearchParams(query);
  const text = (name, length) => (said.get(name) ?? "").slice(0, length);
  const column = [METHOD_COLUMN, ...columns].find(({ name }) => name === said.get("sort")) ?? RANK_COLUMN;
  const axes = (said.get("plot") ?? "").split(",", 2);
  const written = columns.map((one) => [one.name, text(one.name, LONGEST_TEXTS.condition)]);
  return {
    column,
    direction: ORDERS.find((one) => one === said.get("order")) ?? firstDirection(column),
    search: text("q", LONGEST_TEXTS.search),
    tier: Object.keys(TIER).find((tier) => tier === said.get("tier")) ?? "",
    plot: axes.every((axis) => columns.some(({ name }) => name === axis)) ? axes.join(",") : "",
    conditions: new Map(written.filter(([, one]) => one.trim())),
  };
}

/** The query of an address of a view; what is as at first is left out. */
export function writeView({ column, direction, search, tier, plot, conditions }) {
  const pairs = [
    ["sort", column === RANK_COLUMN ? "" : column.name],
    ["order", direction === firstDirection(column) ? "" : direction],
    ["q", search.trim().slice(0, LONGEST_TEXTS.search)], ["tier", tier], ["plot", plot],
    ...[...conditions].map(([name, text]) => [name, text.trim().slice(0, LONGEST_TEXTS.condition)]),
  ];
  return new URLSearchParams(pairs.filter(([, value]) => value)).toString().replaceAll("%2C", ",");
}

/** Which rows a view keeps, as a function; a condition that cannot be read keeps all. */
export function filterOf({ search, tier, conditions }, columns) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const limits = columns.flatMap((column) => {
    const holds = condition(conditions.get(column.name) ?? "", column.better);
    return holds && conditions.has(column.name) ? [(row) => holds(column.value(row))] : [];
  });
  return (row) => (!tier || row.tier === tier) && isFound(row, words) && limits.every((holds) => holds(row));
}

/** The filters of a view in words; an empty text where all rows are kept. */
export function filtersInWords({ search, tier, conditions }, columns) {
  return [
    search.trim() && `search \u201c${search.trim()}\u201d`,
    tier && `tier ${tier}`,
    ...columns.filter(({ name, better }) => conditions.get(name)?.trim() && condition(conditions.get(name), better))
      .map(({ name, title }) => `${title} ${conditions.get(name).trim()}`),
  ].filter(Boolean).join(", ");
}

/** The order of a view in words. */
export function orderInWords({ column, direction }) {
  return `sorted by ${column.title}, ${direction}`;
}
