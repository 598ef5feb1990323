// How an entry is cited.

/** What its authors gave, else an entry made of the metadata. */
export function bibtexOf(row, entry) {
  const given = entry.paper?.bibtex?.trim();
  if (given) return given;
  const safe = (text) => text.replace(/[\\{}]/g, "").replace(/([&%$#_])/g, "\\$1");
  const fields = [
    ["title", entry.paper?.title ?? row.title],
    ["author", entry.authors.map((author) => author.name).join(" and ")],
    ["doi", entry.paper?.doi],
    ["url", entry.paper?.url ?? entry.code?.url],
    ["note", `Entry ${row.id} of the llpbench leaderboard`],
  ];
  const lines = fields.filter(([, value]) => value).map(([name, value]) => `  ${name} = {${name === "url" || name === "doi" ? value : safe(value)}},`);
  return `@misc{${row.id},\n${lines.join("\n")}\n}`;
}
