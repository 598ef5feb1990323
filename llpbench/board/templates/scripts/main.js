// What is shown follows from the address: #dataset/track, .../entry/id, .../compare/id/id.

import { html, section, termList } from "./elements.js";
import { addressParts, isScored } from "./rows.js";
import { board, findTable } from "./board.js";
import { Ranking } from "./ranking.js";
import { scatterView } from "./scatter.js";
import { overTimeView } from "./over_time.js";
import { entryView } from "./entry.js";
import { compareView } from "./compare.js";
import { overviewView } from "./overview.js";
import { drawTabs } from "./tabs.js";

function viewOf(table, [kind, ...ids]) {
  const rows = ids.map((id) => table.byId.get(id));
  if (kind === "entry" && rows[0]) return { title: rows[0].title, content: entryView(table, rows[0]) };
  if (kind === "compare" && rows.length === 2 && rows.every((row) => row && isScored(row))) {
    return { title: `${rows[0].title} and ${rows[1].title}`, content: compareView(table, ...rows) };
  }
  return { title: `${table.title}, ${table.track}`, content: [...new Ranking(table).view(), scatterView(table), overTimeView(table), aboutData(table)].filter(Boolean) };
}

function aboutData(table) {
  return section("The data", termList([
    ["Dataset", table.dataset], ["Attribution", table.attribution], ["Digest", table.digest && html("code", { class: "digest" }, table.digest)],
  ], { class: "facts-list about" }));
}

function show(isFirst) {
  const parts = addressParts(location.hash);
  if (parts[0] === "overview") {
    document.getElementById("main").replaceChildren(...overviewView(board));
    return;
  }
  const table = findTable(parts);
  const main = document.getElementById("main");
  if (!table) {
    main.replaceChildren(html("p", {}, "This board has no tables yet."));
    return;
  }
  const { title, content } = viewOf(table, parts.slice(2));
  document.title = `${title} \u00b7 llpbench leaderboard`;
  const hasFocus = drawTabs(table);
  main.replaceChildren(...content);
  document.documentElement.dataset.view = parts[2] ?? "ranking";
  if (isFirst || hasFocus) return;
  main.querySelector("h2").focus({ preventScroll: true });
  if (parts.length > 2) main.scrollIntoView();
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
show(true);
document.documentElement.dataset.ready = "";
