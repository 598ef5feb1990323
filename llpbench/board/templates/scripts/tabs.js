// Tabs of datasets and, below them, of the tracks of one.

import { html } from "./elements.js";
import { address } from "./rows.js";
import { board, findTable } from "./board.js";

function tabList(label, choices) {
  const tabs = choices.map(({ title, href, isChosen, note }) => html("a", {
    href, role: "tab", "aria-selected": String(isChosen), "aria-controls": "main", tabindex: isChosen ? null : -1,
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

export function drawTabs(table) {
  const ranked = (one) => board.tables.filter((other) => other.dataset === one.dataset).flatMap((other) => other.rows).filter((row) => row.rank).length;
  const datasets = [...new Map(board.tables.map((one) => [one.dataset, one])).values()].sort((one, other) => (ranked(other) > 0) - (ranked(one) > 0));
  const choices = datasets.map((one) => ({
    title: one.title.replace(" (synthetic)", ""), href: address(findTable([one.dataset, table.track])), isChosen: one.dataset === table.dataset,
    note: [one.synthetic && "synthetic", ranked(one) ? `${ranked(one)} ranked` : "reported only"].filter(Boolean).join(" \u00b7 "),
  }));
  const tracks = board.tables.filter((one) => one.dataset === table.dataset).map((one) => ({
    title: one.track, href: address(one), isChosen: one === table, note: "",
  }));
  const lists = [tabList("Dataset", choices), tabList("Track", tracks)];
  document.getElementById("tabs").replaceChildren(...lists);
  const chosen = lists.map((list) => list.querySelector("[aria-selected=true]"));
  chosen[0].scrollIntoView({ block: "nearest", inline: "nearest" });
  if (focusAfterwards) chosen[focusAfterwards === "Dataset" ? 0 : 1].focus();
  const isByKey = Boolean(focusAfterwards);
  focusAfterwards = "";
  return isByKey;
}
