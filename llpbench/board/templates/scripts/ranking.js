// The ranking of one table: sections of rows, sorted and filtered in place.

import { announce, field, html, outwards } from "./elements.js";
import { extent, fixed, grouped, isNumber, plural, range } from "./numbers.js";
import { address, isScored } from "./rows.js";
import { rankedIn } from "./board.js";
import { TIER, badges } from "./badges.js";
import { METHOD_COLUMN, RANK_COLUMN, firstDirection, sorted, valueColumns } from "./columns.js";
import { condition, isFound } from "./filters.js";
import { downloadButtons } from "./downloads.js";

const SECTIONS = [
  ["entry", "Ranked entries"],
  ["reference", "References, outside the ranking"],
  ["bound", "Bounds: saw labels of chips or pixels, outside the ranking"],
  ["reported", "Reported elsewhere, not scored here"],
];

const AT_ONCE = 60;

/** What stands above a group of ties; an entry alone needs no heading. */
export function tieTitle(rows) {
  if (rows.length === 1) return "";
  const [best, ...others] = [...rows].sort((one, other) => one.rank.rank - other.rank.rank);
  return `Tie, ranks ${best.rank.rank} to ${others.at(-1).rank.rank}: not told apart from ${best.title}`;
}

/** A view of a table; what was picked, sorted and filtered is forgotten when it is left. */
export class Ranking {
  constructor(table) {
    this.table = table;
    this.columns = valueColumns(table);
    this.scales = new Map(this.columns.filter((one) => one.isBar).map((one) => [one.name, this.scale(one)]));
    this.sort = { column: RANK_COLUMN, direction: "ascending" };
    this.words = [];
    this.conditions = new Map();
    this.tier = "";
    this.picked = [];
    this.lines = new Map();
    const caption = `${table.title}, ${table.track} track: methods ranked by mean absolute error`;
    this.body = html("table", { class: "ranking" }, html("caption", { class: "unseen" }, caption), this.head());
    this.count = html("p", { class: "count" });
    this.pickBar = html("div", { class: "pickbar", hidden: true });
    this.place();
  }

  view() {
    const scroller = html("div", {
      class: this.table.rows.length > 30 ? "scroller tall" : "scroller",
      role: "region", tabindex: 0, "aria-label": "Ranking, scrolls sideways",
    }, this.body);
    return [tableHeading(this.table), this.toolbar(), scroller, this.pickBar];
  }

  toolbar() {
    const search = html("input", {
      type: "search", id: "search", placeholder: "Method, team, \u2026", autocomplete: "off",
      on: { input: (event) => { this.words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean); this.filter(); } },
    });
    const tiers = html("select", { id: "tier", on: { change: (event) => { this.tier = event.target.value; this.filter(); } } },
      ["", ...Object.keys(TIER)].map((tier) => html("option", { value: tier }, tier || "every tier")));
    const more = html("button", {
      type: "button", class: "quiet", id: "column-filters", "aria-expanded": "false",
      on: { click: () => this.toggleConditions(more) },
    }, "Filter columns");
    return html("div", { class: "toolbar" },
      field("Search", search), field("Tier", tiers),
      more, this.count, downloadButtons(this.table));
  }

  head() {
    const columns = [RANK_COLUMN, METHOD_COLUMN, ...this.columns];
    const titles = html("tr", {}, html("th", { scope: "col", class: "pick" }, html("span", { class: "unseen" }, "Compare")),
      columns.map((column) => this.headCell(column)));
    this.inputs = html("tr", { class: "conditions", hidden: true }, html("td", { class: "pick" }), html("td", { class: "rank" }), html("td", { class: "method" }, "keep only"),
      this.columns.map((column) => html("td", {}, this.conditionInput(column))));
    return html("thead", {}, titles, this.inputs);
  }

  headCell(column) {
    const button = html("button", { type: "button", title: column.help, on: { click: () => this.sortBy(column) } },
      column.title, html("span", { class: "arrow", "aria-hidden": "true" }));
    const scale = this.scales.get(column.name);
    const ends = scale && html("span", { class: "ends", "aria-hidden": "true" }, html("span", {}, fixed(scale.low, 2)), html("span", {}, fixed(scale.high, 2)));
    return html("th", { scope: "col", class: `${column.name}${column.isBar ? " bars" : ""}`, "data-column": column.name }, button, ends);
  }

  conditionInput(column) {
    const sign = column.better === "higher" ? "\u2265" : "\u2264";
    return html("input", {
      type: "text", inputmode: "text", placeholder: sign, autocomplete: "off", spellcheck: "false", "data-condition": column.name,
      "aria-label": `Keep rows by ${column.title}, such as ${sign} 0.1 or 0.1..0.2 or 5k`,
      on: { input: (event) => this.setCondition(column, event.target) },
    });
  }

  toggleConditions(button) {
    const isOpen = this.inputs.hidden;
    this.inputs.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) this.inputs.querySelector("input")?.focus();
  }

  setCondition(column, input) {
    const holds = condition(input.value, column.better);
    input.setAttribute("aria-invalid", String(holds === null));
    this.conditions.set(column.name, (row) => holds === null || holds(column.value(row)));
    this.filter();
  }

  scale(column) {
    const all = this.table.rows.flatMap((row) => Object.values(column.interval(row)));
    const [low, high] = extent(all);
    const margin = (high - low) * 0.04 || 0.01;
    const [from, to] = [Math.max(0, low - margin), high + margin];
    return { low: from, high: to, place: (value) => `${(100 * (value - from)) / (to - from)}%` };
  }

  line(row) {
    const open = html("a", { href: address(this.table, "entry", row.id) }, row.title);
    const elsewhere = row.trained_on && row.trained_on !== this.table.dataset && `trained on ${row.trained_on}`;
    const who = [row.team, elsewhere].filter(Boolean).join(" \u00b7 ");
    return html("tr", { class: row.kind, "data-row": row.id },
      html("td", { class: "pick" }, isScored(row) && this.pickBox(row)),
      html("td", { class: "rank" }, row.rank && this.rankCell(row.rank)),
      html("th", { scope: "row", class: "method" }, open, html("span", { class: "who" }, who), badges(row)),
      this.columns.map((column) => this.cell(column, row)));
  }

  pickBox(row) {
    return html("input", { type: "checkbox", "aria-label": `Compare ${row.title}`, on: { change: (event) => this.pick(row, event.target) } });
  }

  rankCell(rank) {
    const ranked = rankedIn(this.table).length;
    const share = (place) => `${(100 * place) / ranked}%`;
    const bar = html("span", { class: "rankbar", "aria-hidden": "true" },
      html("span", { style: { left: share(rank.low - 1), right: share(ranked - rank.high) } }));
    const possible = rank.low === rank.high ? "" : `${rank.low}\u2013${rank.high}`;
    return [html("span", { class: "place" }, String(rank.rank)),
      html("span", { class: "range" }, possible && html("span", { class: "unseen" }, "possible ranks "), possible), bar];
  }

  cell(column, row) {
    const value = column.value(row);
    if (!isNumber(value)) return html("td", { class: column.isBar ? "bars" : "" }, html("span", { class: "none" }, "\u2013"));
    if (!column.isBar) {
      const interval = column.interval && range(column.interval(row).low, column.interval(row).high, column.digits);
      return html("td", { title: interval && `95 % interval ${interval}` }, column.text(row));
    }
    const { low, high } = column.interval(row);
    const place = this.scales.get(column.name).place;
    const known = isNumber(low) && isNumber(high);
    const bar = html("span", { class: "interval", "aria-hidden": "true" },
      known && html("span", { class: "whisker", style: { left: place(low), width: `calc(${place(high)} - ${place(low)})` } }),
      html("span", { class: "dot", style: { left: place(value) } }));
    return html("td", { class: "bars" }, html("span", { class: "figures" }, html("b", {}, column.text(row)),
      html("span", { class: "limits" }, known ? range(low, high, column.digits).replace(" to ", "\u2013") : "no interval")), bar);
  }

  sortBy(column) {
    const same = this.sort.column === column;
    const turned = this.sort.direction === "ascending" ? "descending" : "ascending";
    this.sort = { column, direction: same ? turned : firstDirection(column) };
    this.place();
    announce(`Sorted by ${column.title}, ${this.sort.direction}`);
  }

  /** Put rows into their sections, in order; those far below after the first are painted. */
  place() {
    this.sections = [];
    for (const old of this.body.querySelectorAll("tbody")) old.remove();
    for (const [kind, title] of SECTIONS) {
      const column = kind !== "entry" && this.sort.column === RANK_COLUMN ? this.columns[0] : this.sort.column;
      const rows = sorted(this.table.rows.filter((row) => row.kind === kind), column, this.sort.direction);
      if (rows.length) this.addSections(kind, title, rows);
    }
    const sections = this.sections;
    const waiting = sections.flatMap(({ body, rows }) => rows.map((row) => [body, row]));
    this.append(waiting.slice(0, AT_ONCE));
    const isCurrent = () => this.sections === sections;
    if (waiting.length > AT_ONCE) requestAnimationFrame(() => setTimeout(() => isCurrent() && this.append(waiting.slice(AT_ONCE))));
    for (const cell of this.body.querySelectorAll("thead th[data-column]")) {
      const isSorted = cell.dataset.column === this.sort.column.name;
      if (isSorted) cell.setAttribute("aria-sort", this.sort.direction);
      else cell.removeAttribute("aria-sort");
    }
    this.filter();
  }

  /** Append the lines of rows to their sections; a line is made when it is first needed. */
  append(waiting) {
    for (const [body, row] of waiting) {
      if (!this.lines.has(row.id)) this.lines.set(row.id, this.line(row));
      const line = this.lines.get(row.id);
      line.hidden = !this.isKept(row);
      body.append(line);
    }
  }

  addSections(kind, title, rows) {
    if (kind !== "entry" || this.sort.column !== RANK_COLUMN) {
      this.addSection(kind, title, rows);
      return;
    }
    for (const group of new Set(rows.map((row) => row.rank.group))) {
      const tied = rows.filter((row) => row.rank.group === group);
      this.addSection(`entry tie${group % 2}`, tieTitle(tied), tied);
    }
  }

  addSection(kind, title, rows) {
    const head = title && html("tr", { class: "heading" }, html("th", { scope: "rowgroup", colspan: this.columns.length + 3 }, html("span", {}, title)));
    const body = html("tbody", { class: kind }, head);
    this.body.append(body);
    this.sections.push({ body, rows });
  }

  isKept(row) {
    return (!this.tier || row.tier === this.tier) && isFound(row, this.words) && [...this.conditions.values()].every((holds) => holds(row));
  }

  filter() {
    const all = this.table.rows;
    const found = new Set(all.filter((row) => this.isKept(row)).map((row) => row.id));
    for (const [id, line] of this.lines) line.hidden = !found.has(id);
    for (const { body, rows } of this.sections) body.hidden = !rows.some((row) => found.has(row.id));
    this.count.textContent = found.size === all.length ? plural(all.length, "row") : `${found.size} of ${plural(all.length, "row")}`;
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

function tableHeading(table) {
  const ranked = rankedIn(table).length;
  const facts = [
    ranked > 0 ? plural(ranked, "ranked method") : "No ranked method yet",
    table.chips > 0 && `${plural(table.chips, "test chip")} in ${plural(table.divisions, "division")}`,
    table.unscored_chips > 0 && `${grouped(table.unscored_chips)} without a label`,
    table.licence && `labels ${table.licence}`,
  ].filter(Boolean);
  return html("div", { class: "heading" },
    html("h2", { tabindex: -1 }, table.title, " ", html("span", { class: "track" }, table.track)),
    html("p", { class: "facts" }, facts.join(" \u00b7 "), table.doi && [" \u00b7 ", outwards(`https://doi.org/${table.doi}`, `doi:${table.doi}`)]),
    table.note && html("p", { class: "caution" }, table.note));
}
