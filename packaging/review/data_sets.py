"""Points about data sets: archived, licensed, described for programs and for people."""

from __future__ import annotations

import re
from collections.abc import Iterator

from points import beyond_code, point, tests_fail

from llpbench import catalog
from llpbench.reporting.datasheet import describe_entry


@point("NeurIPS", "data are hosted where they stay: every published dataset has a DOI")
def datasets_are_archived() -> Iterator[str]:
    """In the catalog."""
    for name, entry in catalog.load().datasets.items():
        if entry.synthetic is None and not re.fullmatch(r"10\.\d{4,}/\S+", entry.doi or ""):
            yield f"{name} has no DOI"


@point("NeurIPS", "licence and attribution of every dataset")
def datasets_have_licences() -> Iterator[str]:
    """In the catalog."""
    for name, entry in catalog.load().datasets.items():
        if not entry.licence:
            yield f"{name} has no licence"
        if not entry.attribution:
            yield f"{name} credits nobody"


@point("NeurIPS", "a datasheet of every dataset, with what is known to be wrong with it")
def datasets_have_datasheets() -> Iterator[str]:
    """As the command writes them."""
    for name, entry in catalog.load().datasets.items():
        card = describe_entry(entry)
        for word in ("noise", "Its limits", "Personal", "Social impact", "Licence"):
            if not re.search(rf"^## .*{word}", card, re.MULTILINE):
                yield f"the datasheet of {name} has no section on {word}"


@point("NeurIPS", "Croissant with core and responsible-AI fields, which mlcroissant takes")
def croissant_is_valid() -> Iterator[str]:
    """By the tests of what is written."""
    yield from tests_fail("tests/test_cards.py")


@point("NeurIPS", "code that makes the results: a protocol that no label passes")
def labels_stay_hidden() -> Iterator[str]:
    """By the tests that poison labels."""
    yield from tests_fail("tests/test_firewall.py")


beyond_code(
    "NeurIPS",
    "reviewers can fetch the data without asking",
    "the records are others' on Zenodo, and nothing is fetched here",
)
beyond_code("NeurIPS", "hosting in the long term, an address at OpenReview", "authors submit")
