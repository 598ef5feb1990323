// Exported files that made an entry's predictions: what they are, and what they cost where they run.

import { bytes, milliseconds } from "./numbers.js";

const RUNTIMES = { litert: "LiteRT", onnx: "ONNX", savedmodel: "SavedModel" };
const NUMBERS = { none: "float32", dynamic: "weights int8", int8: "int8", int16x8: "int16, weights int8" };

/** What is known of the files of a row; null where a method in Python made its predictions. */
export function filesOf(row) {
  return row.part?.export ?? null;
}

/** What runs a file, and with what numbers it computes. */
export function kindOf({ file_format: format, quantize }) {
  return `${RUNTIMES[format]}, ${NUMBERS[quantize]}`;
}

/** Columns as those of other costs; each value may have a note below it. */
export const FILE_COLUMNS = [
  ["export_bytes", "File", bytes, "bytes",
    "Size of the exported file that made these predictions, the largest of the seeds; below it, what runs it and with what numbers. The scores of the row are those of this file.", kindOf],
  ["export_latency_p50_ms", "Latency of the file", milliseconds, "ms a chip",
    "Median time of the file for a chip in one thread, image in, shares out, on the machine that the entry names; below it, the 95th percentile.",
    (of) => `95 % within ${milliseconds(of.latency_p95_ms)}`],
  ["export_memory_bytes", "Memory of the file", bytes, "bytes",
    "Most memory that a process held while it opened the file and predicted, beyond what its runtime holds."],
];
