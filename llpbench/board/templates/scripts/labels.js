// Names beside points of a plot, where there is room for them.

const LETTER = 6.7; // pixels: mean width of a letter of 12 pixels, semi-bold
const LONGEST_NAME = 28;
const CORNERS = [[1, -1], [-1, -1], [1, 1], [-1, 1]];

function overlaps(one, other) {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

function labelAt({ x, y, name, reach }, [right, down]) {
  const size = name.length * LETTER;
  const start = right > 0 ? x + reach : x - reach - size;
  const line = down > 0 ? y + reach + 8 : y - reach;
  return { name, x: right > 0 ? x + reach : x - reach, y: line, anchor: right > 0 ? "start" : "end", box: { left: start, right: start + size, top: line - 10, bottom: line + 3 } };
}

/**
 * Labels of points `{x, y, name, reach}`, the most important first: each at the first corner so far off
 * its point where it leaves the frame, the taken boxes and earlier labels free; none where there is no room.
 */
export function placeLabels(points, taken, frame) {
  const labels = [];
  for (const point of points) {
    const name = point.name.length > LONGEST_NAME ? `${point.name.slice(0, LONGEST_NAME - 1)}\u2026` : point.name;
    const label = CORNERS.map((corner) => labelAt({ ...point, name }, corner)).find(({ box }) =>
      box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom &&
      ![...taken, ...labels.map((one) => one.box)].some((other) => overlaps(box, other)));
    if (label) labels.push(label);
  }
  return labels;
}
