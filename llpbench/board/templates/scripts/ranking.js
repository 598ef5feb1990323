// The ranking of one table: sections of rows, sorted and filtered in place.

import { announce, field, html, outwards } from "./elements.js";
import { grouped, plural } from "./numbers.js";
import { address } from "./rows.js";
import { board, rankedIn } from "./board.js";
import { TIER } from "./badges.js";
import { RANK_COLUMN, firstDirection, sorted, valueColumns } from "./columns.js";
import { LONGEST_TEXTS, filterOf, filtersInWords, orderInWords, plainView, readView, writeView } from "./view.js";
import { overlappingPairs, tieTitle, tiesOf } from "./ties.js";
import { Conditions, headOf, markSorted } from "./heads.js";
import { Growing } from "./later.js";
import { lineOf, scaleOf } from "./lines.js";
import { downloads } from "./downloads.js";

const SECTIONS = [
  ["entry", "Ranked entries"],
  ["file", "Exported files of methods, outside the ranking"],
  ["reference", "References, outside the ranking"],
  ["bound", "Bounds: saw labels of chips or pixels, outside the ranking"],
  ["reported", "Reported elsewhere, not scored here"],
];

const PAIRS_NAMED = 4;
const OPPOSITE = { ascending: "descending", descending: "ascending" };

/** A view of a table, as the query of an address says; `changed` is told when it is sorted or filtered. */
export class Ranking {
  constructor(table, query, changed) {
    this.table = table;
    this.changed = changed;
    this.columns = valueColumns(table);
    this.state = readView(query, this.columns);
    this.scales = new Map(this.columns.filter((one) => one.isBar).map((one) => [one.name, scaleOf(table.rows, one)]));
    this.ties = tiesOf(table.rows);
    this.picked = [];
    this.lines = new Map();
    this.conditions = new Conditions(this.columns, this.state, () => this.refilter());
    this.head = html("thead", {}, headOf(this.columns, this.scales, (column) => this.sortBy(column)), this.conditions.line);
    this.empty = html("tbody", { class: "empty" });
    const caption = `${table.title}, ${table.track} track: methods ranked by mean absolute error`;
    const body = html("table", { class: "ranking" }, html("caption", { class: "unseen" }, caption), this.head, this.empty);
    this.scroller = html("div", { class: "scroller", role: "region", tabindex: 0, "aria-label": "Ranking, scrolls in both directions" }, body);
    this.growing = new Growing(body, this.scroller, (row) => this.lineOf(row));
    this.count = html("p", { class: "count", role: "status" });
    this.printed = html("p", { class: "printed" });
    this.pickBar = html("div", { class: "pickbar", hidden: true });
    this.downloads = downloads(table, () => ({ rows: this.shown(), filters: this.filters, query: this.query() }));
    this.controls = this.toolbar();
    this.place();
  }

  view() {
    return [tableHeading(this.table), this.controls, this.conditions.help, this.printed, this.scroller, tieLegend(this.table, this.ties), this.pickBar];
  }

  toolbar() {
    this.search = html("input", {
      type: "search", id: "search", placeholder: "Method, team, \u2026", autocomplete: "off", maxlength: LONGEST_TEXTS.search, value: this.state.search,
      on: { input: (event) => { this.state.search = event.target.value; this.refilter(); } },
    });
    this.tier = html("select", { id: "tier", on: { change: (event) => { this.state.tier = event.target.value; this.refilter(); } } },
      ["", ...Object.keys(TIER)].map((tier) => html("option", { value: tier, selected: tier === this.state.tier }, tier || "every tier")));
    this.more = html("button", {
      type: "button", class: "quiet", id: "column-filters", "aria-expanded": String(!this.conditions.line.hidden),
      on: { click: () => this.toggleConditions() },
    }, "Filter columns");
    this.clearing = this.clearButton("Clear filters");
    return html("div", { class: "toolbar" },
      field("Search", this.search), field("Tier", this.tier), this.more, this.clearing, this.count, this.downloads.element);
  }

  clearButton(text) {
    return html("button", { type: "button", class: "quiet", on: { click: () => this.clear() } }, text);
  }

  clear() {
    const { search, tier } = plainView();
    Object.assign(this.state, { search, tier });
    this.state.conditions.clear();
    this.search.value = search;
    this.tier.value = tier;
    this.conditions.show(this.state);
    this.refilter();
    this.search.focus();
  }

  toggleConditions() {
    const isOpen = this.conditions.line.hidden;
    this.conditions.open(isOpen);
    this.more.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.conditions.inputs[0]?.focus();
  }

  sortBy(column) {
    this.state.direction = this.state.column === column ? OPPOSITE[this.state.direction] : firstDirection(column);
    this.state.column = column;
    this.place();
    announce(`Sorted by ${column.title}, ${this.state.direction}`);
    this.changed();
  }

  /** Put the rows that are kept into their sections, in order. */
  place() {
    this.kept = filterOf(this.state, this.columns);
    this.filters = filtersInWords(this.state, this.columns);
    this.conditions.judge();
    markSorted(this.head, this.state);
    this.sections = SECTIONS.flatMap(([kind, title]) => {
      const rows = this.table.rows.filter((row) => row.kind === kind && this.kept(row));
      return rows.length ? this.sectionsOf(kind, title, sorted(rows, ...this.orderOf(kind))) : [];
    });
    this.growing.show(this.sections);
    this.tell(this.shown().length);
  }

  /** Rows that have no rank stand by the score that the table is sorted by, best first where ranks ascend. */
  orderOf(kind) {
    const { column, direction } = this.state;
    const score = this.columns.find(({ name }) => name === this.table.sorted_by);
    if (kind === "entry" || column !== RANK_COLUMN || !score) return [column, direction];
    const first = firstDirection(score);
    return [score, direction === "ascending" ? first : OPPOSITE[first]];
  }

  sectionsOf(kind, title, rows) {
    if (kind !== "entry" || this.state.column !== RANK_COLUMN) return [this.section(kind, title, rows)];
    return [...Map.groupBy(rows, (row) => row.rank?.group).values()].map((group) => {
      const tie = this.ties.get(group[0].id);
      return this.section(kind, tie ? tieTitle(tie) : "", group);
    });
  }

  section(kind, title, items) {
    const head = title && html("tr", { class: "heading" }, html("th", { scope: "rowgroup", colspan: this.columns.length + 3 }, html("span", {}, title)));
    return { body: html("tbody", { class: kind }, head), items };
  }

  /** The line of a row, made when it is first needed. */
  lineOf(row) {
    if (!this.lines.has(row.id)) this.lines.set(row.id, lineOf(row, { ...this, pick: (one, box) => this.pick(one, box) }));
    return this.lines.get(row.id);
  }

  /** The query of an address that leads to what is shown. */
  query() {
    return writeView(this.state);
  }

  /** The rows that are shown, in the order in which they are. */
  shown() {
    return this.sections.flatMap(({ items }) => items);
  }

  refilter() {
    this.place();
    this.changed();
  }

  /** Say how many rows are left of how many, and why. */
  tell(found) {
    const all = this.table.rows.length;
    const count = found === all ? plural(all, "row") : `${found} of ${plural(all, "row")}`;
    this.count.textContent = count;
    this.clearing.hidden = !this.filters;
    this.downloads.choice(Boolean(this.filters));
    const built = board.built && `page built ${board.built}`;
    this.printed.textContent = `${[count, this.filters, orderInWords(this.state), built].filter(Boolean).join("; ")}.`;
    this.empty.replaceChildren(...(found === 0 && all > 0 ? [this.nothing()] : []));
  }

  nothing() {
    return html("tr", {}, html("td", { colspan: this.columns.length + 3 },
      html("div", {}, `No row matches: ${this.filters}. `, this.clearButton("Clear the filters"))));
  }

  /** Remember the two rows that were picked last. */
  pick(row, box) {
    this.picked = this.picked.filter((one) => one.row !== row);
    if (box.checked) this.picked.push({ row, box });
    while (this.picked.length > 2) this.picked.shift().box.checked = false;
    this.pickBar.hidden = this.picked.length === 0;
    const names = this.picked.map((one) => html("b", {}, one.row.title));
    const [first, second] = this.picked.map((one) => one.row.id);
    this.pickBar.replaceChildren(html("span", {}, names[0] ?? "", second ? " and " : "", names[1] ?? html("span", { class: "muted" }, " \u2013 pick one more to compare")),
      second ? html("a", { class: "primary", href: address(this.table, "compare", first, second) }, "Compare") : "");
  }
}

/** What coloured edges mean, and why intervals may overlap between them; nothing where it does not arise. */
function tieLegend(table, ties) {
  const pairs = overlappingPairs(table.rows);
  const named = pairs.slice(0, PAIRS_NAMED).map(([one, other], n) => [n ? "; " : "",
    html("a", { href: address(table, "compare", one.id, other.id) }, `${one.title} and ${other.title}`)]);
  const more = pairs.length > PAIRS_NAMED && `; and ${pairs.length - PAIRS_NAMED} more`;
  const sample = [0, 1].map((shade) => html("span", { class: `edge tie${shade}`, "aria-hidden": "true" }));
  return html("div", { class: "ties small" },
    ties.size > 0 && html("p", {}, sample, "Coloured edge and letter: a tie group, entries that are not told apart from the best of them."),
    pairs.length > 0 && html("p", {}, "Intervals overlap, yet the paired test, division by division, tells them apart: ", named, more, "."));
}

function tableHeading(table) {
  const ranked = rankedIn(table).length;
  const facts = [
    ranked > 0 ? plural(ranked, "ranked entry", "ranked entries") : "No ranked entry yet",
    table.chips > 0 && `${plural(table.chips, "test chip")} in ${plural(table.divisions, "division")}`,
    table.unscored_chips > 0 && `${grouped(table.unscored_chips)} without a label`,
    table.licence && `labels ${table.licence}`,
  ].filter(Boolean);
  return html("div", { class: "heading" },
    html("h2", { tabindex: -1 }, table.title, " ", html("span", { class: "track" }, table.track)),
    table.finding && html("p", { class: "finding" }, table.finding),
    html("p", { class: "facts" }, facts.join(" \u00b7 "), table.doi && [" \u00b7 ", outwards(`https://doi.org/${table.doi}`, `doi:${table.doi}`)]),
    table.truth && html("p", { class: "small" }, table.truth),
    table.note && html("p", { class: "caution" }, table.note));
}
