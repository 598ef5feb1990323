// What is shown, as files: made here, sent nowhere.

/** A cell of CSV; a text that a spreadsheet would take for a formula gets an apostrophe. */
function csvCell(value) {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csvOf(table) {
  const names = table.metrics.map((one) => one.name);
  const costs = [...new Set(table.rows.flatMap((row) => Object.keys(row.footprint)))];
  const head = [
    "id", "title", "team", "kind", "tier", "supervision", "trained_on",
    "rank", "rank_low", "rank_high", "tie_group",
    ...names.flatMap((name) => [name, `${name}_low`, `${name}_high`]),
    ...costs,
  ];
  const lines = table.rows.map((row) => [
    row.id, row.title, row.team, row.kind, row.tier, row.supervision, row.trained_on,
    row.rank?.rank, row.rank?.low, row.rank?.high, row.rank?.group,
    ...names.flatMap((name) => Object.values(metric(row, name))),
    ...costs.map((name) => row.footprint[name]),
  ]);
  return [head, ...lines].map((line) => `${line.map(csvCell).join(",")}\r\n`).join("");
}

function jsonOf(table) {
  const { number, byId, ...content } = table;
  const rows = table.rows.map(({ searched, ...row }) => ({ ...row, ...detailsOf(table, row) }));
  return `${JSON.stringify({ ...content, rows }, null, 1)}\n`;
}

function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  html("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  announce(`${name} downloaded`);
}

function downloadButtons(table) {
  const name = `llpbench-${table.dataset}-${table.track}`;
  const button = (kind, make) => html("button", {
    type: "button", class: "quiet", "aria-label": `Download this table as ${kind.toUpperCase()}`,
    on: { click: () => save(`${name}.${kind}`, kind === "csv" ? "text/csv" : "application/json", make(table)) },
  }, kind.toUpperCase());
  return html("span", { class: "downloads", role: "group", "aria-label": "Download" }, button("csv", csvOf), button("json", jsonOf));
}
