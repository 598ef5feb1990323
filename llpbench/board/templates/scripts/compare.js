// Two entries of a table against each other.

function pairOf(table, first, second) {
  const [one, other] = [detailsOf(table, first).errors, detailsOf(table, second).errors];
  const { divisions } = placeOf(table);
  const differences = one.map((sum, n) => sum - other[n]);
  const chips = divisions.map((division) => division.chips);
  return { divisions, differences, chips, test: signFlipTest(differences), interval: pairedInterval(differences, chips) };
}

function verdictOf(first, second, { test, interval }) {
  const chance = `were they equally good, a difference this large would arise with probability ${pValue(test.p)}.`;
  if (test.p > 0.05) return `These two cannot be told apart: ${chance}`;
  const better = interval.value < 0 ? first : second;
  return `${better.title} has the lower error, by ${fixed(Math.abs(interval.value), 4)}; ${chance}`;
}

function intervalPicture({ value, low, high }) {
  if (!isNumber(low)) return null;
  const reach = Math.max(Math.abs(low), Math.abs(high), 1e-9) * 1.15;
  const place = (x) => `${50 + (50 * x) / reach}%`;
  return html("div", { class: "difference", "aria-hidden": "true" },
    html("span", { class: "zero" }),
    html("span", { class: "whisker", style: { left: place(low), width: `calc(${place(high)} - ${place(low)})` } }),
    html("span", { class: "dot", style: { left: place(value) } }));
}

function sideBySide(table, first, second) {
  const lines = valueColumns(table).map((column) => {
    const [one, other] = [column.value(first), column.value(second)];
    const sign = column.better === "higher" ? -1 : 1;
    const isBetter = (a, b) => isNumber(a) && isNumber(b) && sign * (a - b) < 0;
    const cell = (row, wins) => html("td", { class: wins ? "better" : "" }, column.text(row) || "\u2013", wins && html("span", { class: "unseen" }, " (better)"));
    return html("tr", {}, html("th", { scope: "row" }, column.title), cell(first, isBetter(one, other)), cell(second, isBetter(other, one)));
  });
  return html("table", { class: "plain" }, html("thead", {}, html("tr", {}, html("td"), html("th", { scope: "col" }, first.title), html("th", { scope: "col" }, second.title))), html("tbody", {}, lines));
}

function classDifferences(table, first, second) {
  const [one, other] = [first, second].map((row) => detailsOf(table, row).per_class.mae);
  if (!one || !other) return null;
  return section("MAE by class", classTable(table, [{ title: first.title, values: one }, { title: second.title, values: other }], true));
}

function differenceMap(first, second, { divisions, differences, chips }) {
  const values = differences.map((sum, n) => sum / chips[n]);
  const format = (value) => signed(value, 4);
  return section("Difference by division",
    html("p", { class: "small" }, `Error of ${first.title} minus that of ${second.title}.`),
    divisionMap(divisions, values, { scale: divergingScale(values), digits: 3, ends: [`${first.title} better`, `${second.title} better`], what: "the difference of errors", format }),
    divisionTable(divisions, values, "Difference", format));
}

function picker(table, rows, side) {
  const select = html("select", { id: `compare-${side}` }, table.rows.filter(isScored).map((row) => html("option", { value: row.id, selected: row === rows[side] }, row.title)));
  select.addEventListener("change", () => {
    const ids = rows.map((row) => row.id);
    ids[side] = select.value;
    location.hash = address(table, "compare", ...ids);
  });
  return html("label", { class: "field" }, html("span", {}, side ? "Second" : "First"), select);
}

function compareView(table, first, second) {
  const heading = html("div", { class: "heading" },
    html("p", { class: "back" }, html("a", { href: address(table) }, `\u2190 ${table.title}, ${table.track}`)),
    html("h2", { tabindex: -1 }, `${first.title} and ${second.title}`),
    html("div", { class: "toolbar" }, [0, 1].map((side) => picker(table, [first, second], side))));
  if (first === second) return [heading, html("p", {}, "Choose two different entries.")];
  const pair = pairOf(table, first, second);
  const { test, interval } = pair;
  const tries = test.isExact ? `all ${grouped(test.tries)} swaps` : `${grouped(test.tries)} random swaps`;
  return [heading,
    html("p", { class: "verdict" }, verdictOf(first, second, pair)),
    html("div", { class: "columns" },
      section("Paired test", intervalPicture(interval), termList([
        ["Difference in MAE", signed(interval.value, 4)],
        ["95 % interval", isNumber(interval.low) ? `${signed(interval.low, 4)} to ${signed(interval.high, 4)}` : "too few divisions"],
        ["p-value", pValue(test.p)],
        ["Divisions", grouped(pair.chips.length)],
      ], { class: "facts-list narrow" }),
      html("p", { class: "small" }, `Worked out here, in the browser, from the stored errors by division, means over seeds: sign-flip permutation test with ${tries}, paired bootstrap-t with ${grouped(BOOTSTRAP_DRAWS)} draws, seed 0. It is one comparison; tie groups are corrected for all. With the variation between seeds:`),
      codeBlock(`llpbench leaderboard compare ${first.id} ${second.id}`, "command")),
      section("Side by side", sideBySide(table, first, second))),
    html("div", { class: "columns" }, differenceMap(first, second, pair), classDifferences(table, first, second))];
}
