"""The fitted method that a run kept."""

from __future__ import annotations

from pathlib import Path

from llpbench.errors import MethodError
from llpbench.methods.method import Method
from llpbench.methods.registry import load_method
from llpbench.runs.record import RunRecord


def load_trained(folder: Path, record: RunRecord) -> Method:
    """Read the method of a run from its folder.

    Raises
    ------
    MethodError
        If a file predicted, which is not kept with the run; if weights or method are missing.
    """
    if record.export is not None:
        raise MethodError(
            f"an exported file predicted in {str(folder)!r}, and no method is kept there: give the "
            "run that the file was exported from"
        )
    return load_method(record.method, folder / "weights")
