"""What a reader would like to know and the entry leaves out."""

from __future__ import annotations

from collections.abc import Iterator

from llpbench.board.entry import Entry
from llpbench.board.verdict import Reason


def check_disclosure(entry: Entry) -> Iterator[Reason]:
    """Notes about what is missing; nothing is refused for it."""
    if entry.code is None:
        yield _note("no code is given: url and commit would help readers")
    if entry.paper is None:
        yield _note("no paper is given")
    if entry.external_data or entry.pretrained_weights:
        named = ", ".join([*entry.external_data, *entry.pretrained_weights])
        yield _note(f"it uses more than the benchmark's data: {named[:200]}")
    for name, part in entry.datasets.items():
        if part.segmentations is not None and part.segmentations.doi is None:
            yield _note(
                "its segmentations have no DOI, so F1 and IoU stay blank until they can be fetched",
                name,
            )


def _note(sentence: str, where: str = "") -> Reason:
    return Reason("note", "disclosure", where, sentence)
