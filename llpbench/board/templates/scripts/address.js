// Addresses inside the page: #dataset/track/..., and after a ? how a ranking is sorted and filtered.

const LONGEST_ADDRESS = 4000;

const queries = new Map();

/** The address of parts: dataset, track, then what is shown of them; and of how. */
export function addressOf(parts, query = "") {
  return `#${parts.map(encodeURIComponent).join("/")}${query && `?${query}`}`;
}

/** The parts of an address and its query; null for one that cannot be read. */
export function readAddress(hash) {
  const [place, ...rest] = hash.replace(/^#/, "").split("?");
  if (hash.length > LONGEST_ADDRESS) return null;
  try {
    return { parts: place.split("/").filter(Boolean).map(decodeURIComponent), query: rest.join("?") };
  } catch {
    return null;
  }
}

/** Links back to a table lead to it as it was left. */
export function rememberQuery({ dataset, track }, query) {
  queries.set(addressOf([dataset, track]), query);
}

/** How a table was last shown; nothing of one that was not. */
export function queryOf({ dataset, track }) {
  return queries.get(addressOf([dataset, track])) ?? "";
}
