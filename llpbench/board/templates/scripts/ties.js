// Tie groups: entries that the paired test does not tell apart from the best of them.

import { isNumber } from "./numbers.js";
import { metric } from "./rows.js";

/** Groups of ranked rows, best first, each from its best row down. */
export function groupsOf(rows) {
  const ranked = rows.filter((row) => row.rank).sort((one, other) => one.rank.rank - other.rank.rank);
  return [...Map.groupBy(ranked, (row) => row.rank.group).values()];
}

function letterOf(number) {
  return String.fromCharCode(65 + (number % 26)).repeat(1 + Math.floor(number / 26));
}

/** The tie of each row that shares one, by the row's id: its letter, its rows and one of two shades. */
export function tiesOf(rows) {
  const ties = groupsOf(rows).filter((group) => group.length > 1)
    .map((group, number) => ({ rows: group, letter: letterOf(number), shade: number % 2 }));
  return new Map(ties.flatMap((tie) => tie.rows.map((row) => [row.id, tie])));
}

/** What stands above a tie. */
export function tieTitle({ rows, letter }) {
  const ranks = rows.map((row) => row.rank.rank);
  const isRun = ranks.at(-1) - ranks[0] < ranks.length;
  return `Tie ${letter}, ranks ${isRun ? `${ranks[0]} to ${ranks.at(-1)}` : ranks.join(", ")}: not told apart from ${rows[0].title}`;
}

/** Best rows of one group and the next that differ by the paired test though their intervals overlap. */
export function overlappingPairs(rows) {
  const best = groupsOf(rows).map(([first]) => first);
  return best.slice(1).map((row, number) => [best[number], row]).filter(([one, other]) => {
    const [upper, lower] = [metric(one, "mae").high, metric(other, "mae").low];
    return isNumber(upper) && isNumber(lower) && upper >= lower;
  });
}
