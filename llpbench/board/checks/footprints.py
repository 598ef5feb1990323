"""Numbers of a footprint that contradict each other, the supervision or the bundled method."""

from __future__ import annotations

from collections.abc import Iterator

from llpbench.board.bundled import bundled_command
from llpbench.board.checks.candidate import Candidate
from llpbench.board.drafting_files import THEN
from llpbench.board.truth import read_truth
from llpbench.board.verdict import Reason
from llpbench.errors import LLPBenchError, MethodError
from llpbench.methods.footprint import PIXEL_LABEL_BYTES


def check_footprint(candidate: Candidate) -> Iterator[Reason]:
    """Numbers that cannot all be true."""
    export = candidate.part.export
    for where, costs in (("footprint", candidate.part.footprint), ("export", export)):
        if costs is None:
            continue
        p50, p95 = costs.latency_p50_ms, costs.latency_p95_ms
        if p50 is not None and p95 is not None and p95 < p50:
            yield candidate.refuse(where, f"latency_p95_ms {p95} is below latency_p50_ms {p50}")
    parameters = candidate.part.footprint.parameters
    if export is not None and export.bytes < parameters / 8:
        yield candidate.flag(
            "export",
            f"{parameters} parameters in a file of {export.bytes} bytes are less than a bit each",
        )


def check_label_bytes(candidate: Candidate) -> Iterator[Reason]:
    """Bytes of labels other than the supervision needs."""
    try:
        train = read_truth(candidate.board.truth(candidate.part.trained_on)).attrs
    except LLPBenchError:  # another region, unknown to this board
        return
    classes = candidate.truth.sizes["category"]
    pixels = PIXEL_LABEL_BYTES * train["train_chips"]
    expected = {
        "division": 2 * classes * train["train_divisions"],
        "chip": 2 * classes * train["train_chips"],
        "pixel": pixels,
    }[candidate.entry.supervision]
    for name, needed in (("label_uplink_bytes", expected), ("pixel_label_bytes", pixels)):
        value = getattr(candidate.part.footprint, name)
        if value is not None and value != needed:
            yield candidate.flag(
                "footprint",
                f"{name} is {value}; supervision by {candidate.entry.supervision} on the whole "
                f"train split of {candidate.part.trained_on} takes {needed}",
            )


def check_bundled_method(candidate: Candidate) -> Iterator[Reason]:
    """A command of a bundled method that has other weights, supervision or track."""
    by_files = candidate.part.export is not None
    if by_files:
        yield candidate.note(
            "command",
            "exported files made its predictions, which a board does not run: it is scored and "
            "cannot be reproduced here",
        )
    trains = candidate.part.command.split(THEN)[0] if by_files else candidate.part.command
    try:
        command, bundled = bundled_command(trains)
    except MethodError:
        if not by_files:
            yield candidate.note(
                "command",
                "its command is none of `llpbench run` with a bundled method, so it cannot be "
                "reproduced here",
            )
        return
    entry, part = candidate.entry, candidate.part
    if candidate.dataset in set(bundled.designed_on) - set(entry.designed_on):
        yield candidate.note(
            "command",
            f"{bundled.name} was designed or tuned on labels of this dataset, which designed_on in "
            "entry.yaml does not say",
        )
    stated: dict[str, tuple[object, object]] = {
        "supervision": (entry.supervision, bundled.supervision),
        "seeds": (sorted(part.seeds), sorted(command.seeds)),
        "trained_on": (part.trained_on, command.dataset),
        "dataset": (candidate.dataset, command.apply_to or command.dataset),
    }
    if candidate.truth.sizes["category"] == 5 and not command.settings:
        known = bundled.parameters
        stated["parameters"] = (part.footprint.parameters, known or part.footprint.parameters)
    for name, (value, expected) in stated.items():
        if value != expected:
            yield candidate.flag(
                "command", f"{name} is {value} in entry.yaml, but {expected} by its command"
            )
