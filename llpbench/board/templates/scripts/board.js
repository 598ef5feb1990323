// The data of the board: what tables show is read at once, all else when it is looked at.

export const board = JSON.parse(document.getElementById("board").textContent);
const parts = new Map();

board.tables.forEach((table, number) => {
  table.number = number;
  table.byId = new Map(table.rows.map((row) => [row.id, row]));
});

function parsed(key, find) {
  if (!parts.has(key)) parts.set(key, JSON.parse(find().textContent));
  return parts.get(key);
}

function detailsIn(table) {
  const key = `details-${table.number}`;
  return parsed(key, () => document.getElementById(key));
}

/** The whole entry, its stored scores, values by class and division, of a row. */
export function detailsOf(table, row) {
  return detailsIn(table).rows[row.id];
}

/** Pairs of rows that were compared when the page was made. */
export function comparisonsIn(table) {
  return detailsIn(table).comparisons;
}

/** Divisions and example chips of the dataset of a table. */
export function placeOf(table) {
  const stored = [...document.querySelectorAll("script[data-dataset]")];
  return parsed(`place ${table.dataset}`, () => stored.find((one) => one.dataset.dataset === table.dataset));
}

export function rankedIn(table) {
  return table.rows.filter((row) => row.rank);
}

/** Tables of a dataset, in order. */
export function tablesOf(dataset) {
  return board.tables.filter((table) => table.dataset === dataset);
}

/** The table of a dataset and a track, or the first of the dataset where no track is named; none of what is not there. */
export function findTable([dataset, track]) {
  const here = tablesOf(dataset);
  return track === undefined ? here[0] : here.find((table) => table.track === track);
}
