"""What runs by exported files say of these files, for a new entry."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np

from llpbench.board.entry import Export
from llpbench.errors import BoardError, examples
from llpbench.exported.footprint import ExportFootprint
from llpbench.runs.command import RunCommand
from llpbench.runs.record import Run

THEN = " && "
"""Between the command that trains and those that write and run files of what was trained."""


def name_of_files(export: ExportFootprint | Export | None) -> str:
    """What kind of file predicted, such as ``litert, int8``; an empty text where a method did."""
    if export is None:
        return ""
    numbers = "float32" if export.quantize == "none" else export.quantize
    return f"{export.file_format}, {numbers}"


def check_same_files(runs: Sequence[Run]) -> None:
    """Refuse runs by files of several kinds, or by files and by methods."""
    kinds = {name_of_files(run.record.export) or "no file" for run in runs}
    if len(kinds) > 1:
        raise BoardError(
            "an entry is predicted by files of one format and quantisation, or by the method, "
            f"found {examples(sorted(kinds))}; make several entries"
        )


def describe_files(exports: Sequence[ExportFootprint]) -> dict[str, Any]:
    """The ``export`` of a part: the largest file, mean times, the most memory where all know it."""
    memory = [one.memory_bytes for one in exports if one.memory_bytes is not None]
    return {
        "file_format": exports[0].file_format,
        "quantize": exports[0].quantize,
        "bytes": max(one.bytes for one in exports),
        "digests": [f"sha256:{one.sha256.removeprefix('sha256:')}" for one in exports],
        "latency_p50_ms": _mean([one.latency_p50_ms for one in exports]),
        "latency_p95_ms": _mean([one.latency_p95_ms for one in exports]),
        "memory_bytes": max(memory) if len(memory) == len(exports) else None,
    }


def command_by_files(command: RunCommand, export: ExportFootprint) -> str:
    r"""How the predictions were made, RUN and FILE being those of each seed.

    Examples
    --------
    >>> file = ExportFootprint("litert", "int8", 9000, "sha256:0", 0.4, 0.5, None)
    >>> print(command_by_files(RunCommand("llpnet", "land"), file).replace(THEN, "\n"))
    llpbench run llpnet --dataset land --seed 0
    llpbench export RUN --format litert --quantize int8 -o FILE
    llpbench run-exported FILE --dataset land
    """
    numbers = ["--quantize", export.quantize] if export.quantize != "none" else []
    write = ["llpbench", "export", "RUN", "--format", export.file_format, *numbers, "-o", "FILE"]
    fly = ["llpbench", "run-exported", "FILE", "--dataset", command.apply_to or command.dataset]
    return THEN.join([str(command), shlex.join(write), shlex.join(fly)])


def _mean(times: Sequence[float]) -> float:
    return round(float(np.mean(times)), 4)
