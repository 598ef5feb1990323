// Numbers as people read them; an empty text where there is none.

export function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

export function fixed(value, digits) {
  if (!isNumber(value)) return "";
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "\u2212");
}

export function signed(value, digits) {
  return isNumber(value) && value > 0 ? `+${fixed(value, digits)}` : fixed(value, digits);
}

const UNITS = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];

export function compact(value) {
  if (!isNumber(value)) return "";
  const [size, unit] = UNITS.find(([limit]) => Math.abs(value) >= limit) ?? [1, ""];
  const scaled = value / size;
  const digits = Number.isInteger(scaled) || Math.abs(scaled) >= 100 ? 0 : 1;
  return fixed(scaled, digits) + (unit && `\u202f${unit}`);
}

export function bytes(value) {
  if (!isNumber(value)) return "";
  return value < 1e3 ? `${value} B` : `${compact(value)}B`;
}

export function milliseconds(value) {
  if (!isNumber(value)) return "";
  if (value >= 1e3) return `${fixed(value / 1e3, 1)} s`;
  return `${fixed(value, value < 10 ? 2 : 0)} ms`;
}

export function duration(seconds) {
  if (!isNumber(seconds)) return "";
  if (seconds >= 5400) return `${fixed(seconds / 3600, 1)} h`;
  return seconds >= 90 ? `${fixed(seconds / 60, 0)} min` : `${fixed(seconds, 1)} s`;
}

export function grouped(value) {
  return isNumber(value) ? value.toLocaleString("en-GB") : "";
}

export function range(low, high, digits) {
  return isNumber(low) && isNumber(high) ? `${fixed(low, digits)} to ${fixed(high, digits)}` : "";
}

export function pValue(value) {
  return value < 0.001 ? "below 0.001" : fixed(value, 3);
}

export function plural(count, noun, many = `${noun}s`) {
  return `${grouped(count)} ${count === 1 ? noun : many}`;
}

const DAYS = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

/** A day as people write it, of "2026-11-28". */
export function day(written) {
  const date = new Date(`${written}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? written : DAYS.format(date);
}

/** Round places between two values, about so many. */
export function ticks(low, high, count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  const places = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + 1e-9 * step; n++) places.push(n * step);
  return places;
}

/** Decimals in which neighbouring ticks differ. */
export function tickDigits(places) {
  return places.length > 1 ? Math.max(0, Math.ceil(-Math.log10(places[1] - places[0]) - 1e-9)) : 2;
}

/** Smallest and largest of the numbers among some values. */
export function extent(values) {
  const there = values.filter(isNumber);
  return there.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

/** Of ordered numbers, between neighbours in proportion. */
export function quantile(ordered, share) {
  const place = share * (ordered.length - 1);
  const below = Math.floor(place);
  return ordered[below] + (place - below) * ((ordered[below + 1] ?? ordered[below]) - ordered[below]);
}
