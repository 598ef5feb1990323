// All datasets of a track at a glance: a grid of methods by datasets, and who is best over them.

import { html } from "./elements.js";
import { extent, fixed, isNumber, plural, range } from "./numbers.js";
import { address, bareTitle } from "./rows.js";
import { explained, direction } from "./definitions.js";
import { designedBadge } from "./badges.js";
import { Growing } from "./later.js";

const KINDS_OF_LINES = [
  ["entry", "Ranked entries"],
  ["file", "Exported files of methods, outside the ranking"],
  ["reference", "References, outside the ranking"],
  ["bound", "Bounds: saw labels of chips or pixels, outside the ranking"],
];

/** The columns of an overview: its datasets and their tables, real ones first. */
export function datasetsOf(overview, tables) {
  const find = (dataset) => tables.find((one) => one.dataset === dataset && one.track === overview.track);
  return overview.datasets
    .map((dataset, place) => ({ place, title: bareTitle(overview.titles[place]), table: find(dataset) }))
    .filter((one) => one.table)
    .sort((one, other) => one.table.synthetic - other.table.synthetic);
}

/** Ids of the entries on top of a table: the best one and those not told apart from it. */
export function leadersOf(table) {
  const first = table.rows.filter((row) => row.rank?.group === 1);
  const best = Math.min(...first.map((row) => row.rank.rank));
  return new Map(first.map((row) => [row.id, row.rank.rank === best ? "best" : "tied"]));
}

/** What the aggregate is called: "mean skill". */
function aggregateName({ aggregated, metric }) {
  return `${aggregated} ${metric.name}`.replaceAll("_", " ");
}

/** Whether the best entry is told apart from that of a line, on the same divisions. */
export function isApart({ behind }) {
  return isNumber(behind?.low) && behind.low > 0;
}

function named(titles) {
  return titles.length < 2 ? titles.join("") : `${titles.slice(0, -1).join(", ")} and ${titles.at(-1)}`;
}

function dataSentence(columns) {
  const made = columns.filter((one) => one.table.synthetic).map((one) => one.title);
  if (made.length === columns.length) return " All of these data are synthetic: how methods do on a real place is not known from them.";
  return made.length ? ` Synthetic: ${named(made)}.` : "";
}

function designedSentence(line, columns) {
  const tuned = columns.filter(({ table }) => table.byId.get(line.id)?.designed_here).map((one) => one.title);
  if (!tuned.length) return "";
  return ` ${line.title} was designed or tuned on labels of ${tuned.length === columns.length ? "all these data" : named(tuned)}: no independent result there.`;
}

/** The next entry, and how sure it is that the best is better. */
function beforeSentence(next) {
  const { behind, title, aggregate } = next;
  const other = `${title} with ${fixed(aggregate.value, 3)}`;
  if (!isNumber(behind?.low)) return `, before ${other}`;
  const limits = `95 % ${range(behind.low, behind.high, 3)}`;
  if (isApart(next)) return `, before ${other} (${fixed(behind.value, 3)} lower on the same divisions, ${limits})`;
  return `, not told apart from ${other} (the difference on the same divisions is ${fixed(behind.value, 3)}, ${limits})`;
}

/** Who is best over all datasets, by how much, how sure that is, and on which data. */
export function overviewSentence(overview, columns) {
  const [best, second] = overview.lines.filter((line) => line.kind === "entry" && line.aggregate);
  if (!best) return `No ranked method has an aggregate over these datasets.${dataSentence(columns)}`;
  const limits = range(best.aggregate.low, best.aggregate.high, 3);
  return [
    `${best.title} has the best ${aggregateName(overview)}, ${fixed(best.aggregate.value, 3)}${limits && ` (95 % ${limits})`}${second ? beforeSentence(second) : ""}.`,
    designedSentence(best, columns), dataSentence(columns),
  ].join("");
}

/** Where values lie on the one axis of a grid; few lie so far below zero that they would fill it. */
export function gridScale(lines) {
  const [lowest, highest] = extent(lines.flatMap((line) => line.scores).flatMap((score) => [score?.value, score?.low, score?.high]));
  const high = Math.max(highest, 0);
  const low = Math.max(Math.min(lowest, 0), high > 0 ? -high / 3 : -Infinity);
  const share = (value) => (100 * (value - low)) / (high - low || 1);
  return { low, high, place: (value) => `${Math.max(0, share(value)).toFixed(1)}%` };
}

function bar({ value, low, high }, scale) {
  const known = isNumber(low) && isNumber(high);
  const isBeyond = value < scale.low;
  return html("span", { class: "interval", "aria-hidden": "true" },
    known && html("span", { class: "whisker", style: { left: scale.place(low), right: `calc(100% - ${scale.place(high)})` } }),
    isBeyond ? html("span", { class: "beyond" }, "\u25c2") : html("span", { class: "dot", style: { left: scale.place(value) } }));
}

function noValue() {
  return html("td", { class: "none" }, html("span", { "aria-hidden": "true" }, "\u2013"), html("span", { class: "unseen" }, "not scored"));
}

const MARKS_OF_LEADERS = { best: ["\u2605", "best"], tied: ["\u2248", "not told apart from the best"] };

function leaderMark(place) {
  const [sign, words] = MARKS_OF_LEADERS[place];
  return html("span", { class: "leader" }, html("span", { "aria-hidden": "true" }, sign), html("span", { class: "unseen" }, ` ${words}`));
}

function scoreCell(line, column, overview, scale, leaders) {
  const score = line.scores[column.place];
  const row = column.table.byId.get(line.id);
  if (!score || !isNumber(score.value) || !row) return noValue();
  const [value, limits] = [fixed(score.value, 3), range(score.low, score.high, 3)];
  const mark = leaders.get(line.id);
  const name = [value, mark && MARKS_OF_LEADERS[mark][1], row.designed_here && "designed here", limits, `${overview.metric.title} of ${line.title} on ${column.title}`].filter(Boolean).join(", ");
  return html("td", { class: mark ?? "" },
    html("a", { href: address(column.table, "entry", row.id), "aria-label": name },
      html("span", { class: "figures" }, html("span", {}, html("b", {}, value), mark && leaderMark(mark), designedBadge(row)),
        html("span", { class: "limits" }, limits)), bar(score, scale)));
}

function aggregateCell(line, best) {
  const { aggregate } = line;
  if (!aggregate || !isNumber(aggregate.value)) return noValue();
  const isTied = isNumber(line.behind?.low) && !isApart(line);
  const mark = line === best ? "best" : isTied && "tied";
  return html("td", { class: mark ? `aggregate ${mark}` : "aggregate" },
    html("span", { class: "figures" }, html("span", {}, html("b", {}, fixed(aggregate.value, 3)), mark && leaderMark(mark)),
      html("span", { class: "limits" }, range(aggregate.low, aggregate.high, 3))));
}

function gridHead(overview, columns, scale) {
  const ends = html("span", { class: "ends", "aria-hidden": "true" }, html("span", {}, fixed(scale.low, 2)), html("span", {}, fixed(scale.high, 2)));
  return html("thead", {}, html("tr", {},
    html("th", { scope: "col", class: "method" }, "Method"),
    html("th", { scope: "col" }, explained(`${aggregateName(overview)[0].toUpperCase()}${aggregateName(overview).slice(1)}`, overview.note)),
    columns.map(({ title, table }) => html("th", { scope: "col" }, html("a", { href: address(table) }, title),
      table.synthetic && html("span", { class: "note" }, "synthetic"), ends.cloneNode(true)))));
}

/** The sections of the kinds of lines, those that are there. */
function gridSections(overview, columns) {
  return KINDS_OF_LINES.map(([kind, title]) => {
    const head = html("tr", { class: "heading" }, html("th", { scope: "rowgroup", colspan: columns.length + 2 }, html("span", {}, title)));
    return { body: html("tbody", { class: kind }, head), items: overview.lines.filter((line) => line.kind === kind) };
  });
}

/** How the line of a method is made. */
function gridLines(overview, columns, scale) {
  const best = overview.lines.find((line) => line.kind === "entry" && line.aggregate);
  const leaders = columns.map(({ table }) => leadersOf(table));
  return (line) => html("tr", { class: line.kind },
    html("th", { scope: "row", class: "method" }, line.title, html("span", { class: "who" }, line.team)),
    aggregateCell(line, best),
    columns.map((column, n) => scoreCell(line, column, overview, scale, leaders[n])));
}

function gridOf(overview, columns) {
  const scale = gridScale(overview.lines);
  const caption = html("caption", { class: "unseen" }, `${overview.metric.title} of methods on datasets, ${overview.track} track`);
  const grid = html("table", { class: "overview", style: { "--zero": scale.place(0) } }, caption, gridHead(overview, columns, scale));
  const scroller = html("div", { class: "scroller", role: "region", tabindex: 0, "aria-label": `Overview of the ${overview.track} track, scrolls sideways` }, grid);
  new Growing(grid, scroller, gridLines(overview, columns, scale)).show(gridSections(overview, columns));
  return scroller;
}

function findings(columns) {
  const known = columns.filter(({ table }) => table.finding);
  return known.length > 0 && html("details", { class: "more" }, html("summary", {}, "What each dataset says"),
    html("ul", { class: "findings" }, known.map(({ title, table }) => html("li", {}, html("a", { href: address(table) }, title), ": ", table.finding))));
}

function overviewOf(overview, tables) {
  const columns = datasetsOf(overview, tables);
  const { metric } = overview;
  return html("section", { class: "block" },
    html("h3", { class: "track" }, `${overview.track} track`),
    html("p", { class: "verdict" }, overviewSentence(overview, columns)),
    html("p", { class: "small" }, "Cells: ", explained(metric.title, metric.definition), " ", direction(metric),
      ", with 95 % intervals on one scale; each leads to the page of the entry. \u2605 best, \u2248 not told apart from the best. The short line is zero, \u25c2 lies beyond the scale."),
    gridOf(overview, columns),
    html("p", { class: "small below" }, overview.note),
    findings(columns));
}

/** The view of all overviews of a board; an empty list where there is none. */
export function overviewView({ overviews, tables }) {
  if (!overviews.length) return [];
  const count = (all) => new Set(overviews.flatMap(all)).size;
  return [
    html("div", { class: "heading" }, html("h2", { tabindex: -1 }, "All datasets at a glance"),
      html("p", { class: "facts" }, `${plural(count((one) => one.lines.filter((line) => line.kind !== "file").map((line) => line.id)), "method")} on ${plural(count((one) => one.datasets), "dataset")}`)),
    ...overviews.map((overview) => overviewOf(overview, tables)),
  ];
}
