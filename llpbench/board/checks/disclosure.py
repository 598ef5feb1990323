"""What a reader would like to know and the entry leaves out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from llpbench.board.entry import Entry
from llpbench.board.verdict import Reason
from llpbench.errors import examples


def check_disclosure(entry: Entry) -> Iterator[Reason]:
    """What is missing is noted, names that may deceive are flagged; nothing is refused for it."""
    if entry.code is None:
        yield _note("no code is given: url and commit would help readers")
    if entry.paper is None:
        yield _note("no paper is given")
    if entry.external_data or entry.pretrained_weights:
        named = ", ".join([*entry.external_data, *entry.pretrained_weights])
        yield _note(f"it uses more than the benchmark's data: {named[:200]}")
    for text in (entry.title, *(author.name for author in entry.authors)):
        if mixed := [word for word in re.findall(r"[^\W\d_]+", text) if _mixes_alphabets(word)]:
            yield Reason(
                "flagged",
                "disclosure",
                "",
                f"{examples(map(ascii, mixed))} has letters of several alphabets, which look alike",
            )
    for name, part in entry.datasets.items():
        if part.segmentations is not None and part.segmentations.doi is None:
            yield _note(
                "its segmentations have no DOI, so F1 and IoU stay blank until they can be fetched",
                name,
            )


def _mixes_alphabets(word: str) -> bool:
    """Whether a word has Latin letters beside Greek, Cyrillic or other ones that look like them."""
    alphabets = {unicodedata.name(letter, "").split(" ")[0] for letter in word}
    return "LATIN" in alphabets and bool(alphabets & {"GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE"})


def _note(sentence: str, where: str = "") -> Reason:
    return Reason("note", "disclosure", where, sentence)
