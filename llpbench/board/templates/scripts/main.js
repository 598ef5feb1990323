// What is shown follows from the address: #overview, #dataset/track, .../entry/id, .../compare/id/id.

import { html, section, termList } from "./elements.js";
import { addressOf, readAddress, rememberQuery } from "./address.js";
import { isScored } from "./rows.js";
import { board, findTable } from "./board.js";
import { overviewView } from "./overview.js";
import { Ranking } from "./ranking.js";
import { scatterView } from "./scatter.js";
import { filesView } from "./files_plot.js";
import { overTimeView } from "./over_time.js";
import { entryView } from "./entry.js";
import { compareView } from "./compare.js";
import { missingView } from "./missing.js";
import { drawTabs } from "./tabs.js";
import { drawAll, drawBeforePrint, forgetUndrawn } from "./later.js";
import { forget, keepAddress, keepVisits, keptScroll, linkLeft, scrollAgain } from "./visits.js";

function aboutData(table) {
  return section("The data", termList([
    ["Dataset", table.dataset], ["Attribution", table.attribution], ["Digest", table.digest && html("code", { class: "digest" }, table.digest)],
  ], { class: "facts-list about" }));
}

function rankingContent(table, query) {
  const keep = () => {
    rememberQuery(table, ranking.query());
    keepAddress(addressOf([table.dataset, table.track], ranking.query()));
  };
  const ranking = new Ranking(table, query, () => {
    keep();
    showRows();
  });
  const plot = scatterView(table, ranking.state.plot, (choice) => {
    ranking.state.plot = choice;
    keep();
  });
  const files = filesView(table);
  const showRows = () => {
    plot?.show(ranking.shown());
    files?.show(ranking.shown());
  };
  rememberQuery(table, ranking.query());
  showRows();
  return [...ranking.view(), plot?.element, files?.element, overTimeView(table), aboutData(table)].filter(Boolean);
}

function rowsContent(table, kind, rows) {
  if (kind === "entry" && rows.length === 1 && rows[0]) return entryView(table, rows[0]);
  const isPair = kind === "compare" && rows.length === 2 && rows.every((row) => row && isScored(row));
  return isPair ? compareView(table, ...rows) : null;
}

/** What an address leads to: the kind of view, its title, content and table. */
function viewOf(found) {
  const [dataset, track, kind, ...ids] = found?.parts ?? [];
  const isHome = found && (dataset === undefined || (dataset === "overview" && track === undefined));
  if (isHome && board.overviews.length) return { view: "overview", title: "Overview", content: overviewView(board) };
  const table = isHome ? board.tables[0] : found && findTable([dataset, track]);
  if (table && kind === undefined) {
    const content = rankingContent(table, found.query);
    return { view: "ranking", title: `${table.title}, ${table.track}`, content, table };
  }
  const rows = table ? ids.map((id) => table.byId.get(id)) : [];
  const content = table && rowsContent(table, kind, rows);
  if (content) return { view: kind, title: rows.map((row) => row.title).join(" and "), content, table };
  return { view: "missing", title: "Not found", content: missingView(found), table };
}

function show(isFirst) {
  forget();
  forgetUndrawn();
  const main = document.getElementById("main");
  if (!board.tables.length) {
    main.replaceChildren(html("p", {}, "This board has no tables yet."));
    return;
  }
  const { view, title, content, table } = viewOf(readAddress(location.hash));
  document.title = `${title} \u00b7 llpbench leaderboard`;
  const hasFocus = drawTabs(table, view === "overview");
  main.replaceChildren(...content);
  document.documentElement.dataset.view = view;
  const scrolled = keptScroll();
  if (scrolled?.some(Boolean)) drawAll();
  if (!isFirst && !hasFocus) (linkLeft(main) ?? main.querySelector("h2")).focus({ preventScroll: true });
  if (scrolled) scrollAgain(scrolled);
  else if (!isFirst && (view !== "ranking" || main.getBoundingClientRect().top < 0)) main.scrollIntoView({ behavior: "instant" });
}

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function drawTheme() {
  document.getElementById("theme").setAttribute("aria-pressed", String(isDark()));
}

document.getElementById("theme").addEventListener("click", () => {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("llpbench-theme", theme);
  } catch {
    // no storage for files in this browser: until the page is closed
  }
  drawTheme();
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawTheme);
addEventListener("hashchange", () => show(false));
drawTheme();
keepVisits();
drawBeforePrint();
show(true);
document.documentElement.dataset.ready = "";
