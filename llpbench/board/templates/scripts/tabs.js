// Tabs of datasets and, below them, of the tracks of one.

import { html } from "./elements.js";
import { addressOf } from "./address.js";
import { bareTitle } from "./rows.js";
import { board, findTable, rankedIn, tablesOf } from "./board.js";

function tabList(label, choices) {
  const hasChosen = choices.some(({ isChosen }) => isChosen);
  const tabs = choices.map(({ title, href, isChosen, note }, n) => html("a", {
    href, role: "tab", "aria-selected": String(isChosen), "aria-controls": "main", tabindex: isChosen || (!hasChosen && n === 0) ? null : -1,
  }, title, note && html("span", { class: "note" }, note)));
  const list = html("div", { role: "tablist", "aria-label": label }, tabs);
  list.addEventListener("keydown", (event) => {
    const here = tabs.indexOf(document.activeElement);
    const next = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (here < 0 || next === undefined) return;
    event.preventDefault();
    location.hash = tabs[(next + tabs.length) % tabs.length].getAttribute("href");
    focusAfterwards = label;
  });
  return list;
}

let focusAfterwards = "";

function datasetTab(dataset, table) {
  const one = findTable([dataset, table?.track]) ?? findTable([dataset]);
  const ranked = rankedIn(one).length;
  return {
    title: bareTitle(one.title), href: addressOf([dataset, one.track]), isChosen: dataset === table?.dataset,
    note: [one.synthetic && "synthetic", ranked ? `${ranked} ranked` : "reported only"].filter(Boolean).join(" \u00b7 "),
  };
}

/** Draw the tabs around a table; without one the overview is chosen, if it is that. Whether they keep the focus. */
export function drawTabs(table, isOverview) {
  const datasets = [...new Set(board.tables.map((one) => one.dataset))].map((dataset) => datasetTab(dataset, table));
  const overview = { title: "Overview", href: "#overview", isChosen: isOverview, note: "all datasets" };
  const tracks = (table ? tablesOf(table.dataset) : []).map((one) => ({
    title: one.track, href: addressOf([one.dataset, one.track]), isChosen: one === table, note: "",
  }));
  const lists = [tabList("Dataset", [...(board.overviews.length ? [overview] : []), ...datasets]), ...(tracks.length ? [tabList("Track", tracks)] : [])];
  document.getElementById("tabs").replaceChildren(...lists);
  const chosen = lists.map((list) => list.querySelector("[aria-selected=true]"));
  chosen[0]?.scrollIntoView({ block: "nearest", inline: "nearest" });
  const isByKey = Boolean(focusAfterwards);
  if (isByKey) chosen[focusAfterwards === "Dataset" ? 0 : 1]?.focus();
  focusAfterwards = "";
  return isByKey;
}
