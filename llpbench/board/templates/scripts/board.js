// The data of the board: what tables show is read at once, all else when it is looked at.

const board = JSON.parse(document.getElementById("board").textContent);
const kept = new Map();

board.tables.forEach((table, number) => {
  table.number = number;
  table.byId = new Map(table.rows.map((row) => [row.id, row]));
});

function parsed(key, find) {
  if (!kept.has(key)) kept.set(key, JSON.parse(find().textContent));
  return kept.get(key);
}

/** Metadata, values by class and division, and so on, of a row. */
function detailsOf(table, row) {
  const key = `details-${table.number}`;
  return parsed(key, () => document.getElementById(key))[row.id];
}

/** Divisions and example chips of the dataset of a table. */
function placeOf(table) {
  const stored = [...document.querySelectorAll("script[data-dataset]")];
  return parsed(`place ${table.dataset}`, () => stored.find((one) => one.dataset.dataset === table.dataset));
}

function metric(row, name) {
  const [value = null, low = null, high = null] = row.metrics[name] ?? [];
  return { value, low, high };
}

/** Whether two rows can be compared division by division. */
function isScored(row) {
  return row.kind !== "reported";
}

/** Address of a view: dataset, track, then what is shown of them. */
function address(table, ...rest) {
  return `#${[table.dataset, table.track, ...rest].map(encodeURIComponent).join("/")}`;
}

/** The parts of an address; none where it cannot be read. */
function addressParts(hash) {
  try {
    return hash.replace(/^#/, "").split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    return [];
  }
}

function findTable([dataset, track]) {
  const here = board.tables.filter((table) => table.dataset === dataset);
  return here.find((table) => table.track === track) ?? here[0] ?? firstTable();
}

/** Where to begin: a table with ranked entries, if there is one. */
function firstTable() {
  const ranked = (table) => table.rows.filter((row) => row.rank).length;
  return [...board.tables].sort((one, other) => ranked(other) - ranked(one))[0];
}

const TIER = {
  reproduced: ["\u2713", "its command was run again, with a result inside the interval"],
  scored: ["\u25cf", "predictions are stored and were scored here"],
  reported: ["\u275d", "printed elsewhere; not scored here"],
};

function tierBadge(tier) {
  const [sign, meaning] = TIER[tier];
  return html("span", { class: `badge ${tier}`, title: meaning }, html("span", { "aria-hidden": "true" }, sign), ` ${tier}`);
}

function badges(row) {
  const saw = row.supervision === "division" ? [] : [`${row.supervision} labels`];
  const elsewhere = [...saw, ...row.beyond].map((text) => html("span", { class: "badge noted" }, text));
  return html("span", { class: "badges" }, tierBadge(row.tier), elsewhere);
}
