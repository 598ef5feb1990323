"""What a new entry discloses: what is known of the runs, and questions where nothing is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llpbench.board.bundled import bundled_method
from llpbench.board.fields import FILL_IN
from llpbench.errors import MethodError
from llpbench.runs.command import RunCommand
from llpbench.runs.record import Run

ASKED: dict[str, Any] = {
    "selection": f"{FILL_IN}: how epochs and settings were chosen, by which data",
    "designed_on": [
        f"{FILL_IN}: datasets on whose labels, of any split, it was designed or tuned; [] if none"
    ],
    "external_data": [f"{FILL_IN}: data beyond the benchmark's that it was trained on; [] if none"],
    "pretrained_weights": [f"{FILL_IN}: weights of others that it starts from; [] if none"],
    "hardware": f"{FILL_IN}: the machine that trained, predicted and was timed",
}
"""Questions that only whoever makes the entry can answer, where a run does not."""

DEFAULTS = (
    "Settings are the defaults of llpbench {version}. Epochs, where the method has any, are those "
    "with the lowest error of validation divisions."
)


def disclose(runs: Sequence[Run], command: RunCommand) -> dict[str, Any]:
    """Answer what runs of one method answer; the rest stays asked.

    What went into a method is known where it ships with llpbench, how its settings were chosen
    only where they are its defaults: nobody knows from a run what else was tried.
    """
    known: dict[str, Any] = {}
    machines = {run.record.hardware for run in runs}
    if None not in machines:
        known["hardware"] = "; ".join(sorted(filter(None, machines)))
    try:
        info = bundled_method(command.method)
    except MethodError:
        return known
    known |= {"designed_on": [*info.designed_on], "external_data": [], "pretrained_weights": []}
    if not command.settings:
        defaults = DEFAULTS.format(version=runs[0].record.llpbench_version)
        known["selection"] = " ".join([defaults, *info.design])
    return known
