// Files that fly: error against size and latency, and the same as a table.

import { html, section, tableOf } from "./elements.js";
import { fixed, range } from "./numbers.js";
import { address, metric } from "./rows.js";
import { filesOf } from "./files.js";
import { FILE_BYTES, valueColumns } from "./columns.js";
import { drawnPlot } from "./scatter.js";

const SHOWN = ["export_bytes", "export_latency_p50_ms", "export_memory_bytes", "multiply_adds"];

function cellOf(column, row) {
  return [column.text(row) || "\u2013", column.note && html("span", { class: "note" }, column.note(row))];
}

function tableOfFiles(table, rows, columns) {
  const lines = rows.map((row) => {
    const { value, low, high } = metric(row, "mae");
    return [html("a", { href: address(table, "entry", row.id) }, row.title), fixed(value, 4), range(low, high, 4) || "\u2013", ...columns.map((column) => cellOf(column, row))];
  });
  return html("div", { class: "scroller", role: "region", tabindex: 0, "aria-label": "Files, their error and cost" },
    tableOf(["Method", "MAE", "95 % interval", ...columns.map(({ title }) => title)], lines));
}

/** The plot and how to show other rows on it; nothing of a table in which fewer than two rows carry a file. */
export function filesView(table) {
  if (table.rows.filter(filesOf).length < 2) return null;
  const columns = valueColumns(table);
  const { elements, show } = drawnPlot({ table, x: FILE_BYTES, y: columns.find(({ name }) => name === "mae") });
  const shown = columns.filter(({ name }) => SHOWN.includes(name)).sort((one, other) => SHOWN.indexOf(one.name) - SHOWN.indexOf(other.name));
  const lines = html("div");
  const element = section("Files that fly: error against size and latency",
    html("p", { class: "small" }, "These entries were predicted by exported files, and the error is that of the file. Low, left and small is best: a mark grows with the time that a chip takes in one thread, on the machine that its entry names."),
    elements, html("details", { class: "more" }, html("summary", {}, "As a table"), lines));
  element.classList.add("plot", "files");
  return {
    element,
    show: (rows) => {
      show(rows);
      lines.replaceChildren(tableOfFiles(table, rows.filter(filesOf), shown));
    },
  };
}
