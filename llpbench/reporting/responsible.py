"""What users of a dataset must know, for its cards: for programs as Croissant, for people."""

from __future__ import annotations

from typing import Any

from llpbench.catalog.responsible import LONGEST, Origin, Responsible, Source, responsible
from llpbench.data.info import DatasetInfo

NOT_SAID = "Not stated by whoever made this dataset."
QUESTIONS = {
    "limitations": "rai:dataLimitations",
    "biases": "rai:dataBiases",
    "sensitive_information": "rai:personalSensitiveInformation",
    "uses": "rai:dataUseCases",
    "social_impact": "rai:dataSocialImpact",
}
"""The questions that are answered in sentences, and their names in Croissant."""
_ONE_TEXT = {"rai:dataSocialImpact"}
"""Properties that the specification allows once."""


def responsible_of(info: DatasetInfo, said: Responsible | None = None) -> Responsible:
    """Put together what is known of a dataset, and what somebody says of it.

    Parameters
    ----------
    info : DatasetInfo
        Of a user's own dataset, names of image files and the attribution are its sources.
    said : Responsible or None
        What stands before all that is known.
    """
    origin: Origin = "synthetic" if info.synthetic else "published" if info.doi else "own"
    known = responsible(origin, info.label_set.name)
    if origin == "own":
        known += _of_recipe(info)
    return known if said is None else said + known


def describe_responsible(known: Responsible) -> dict[str, Any]:
    """Write it as properties of Croissant and PROV; what nobody said is said to be so."""
    described: dict[str, Any] = {}
    for question, name in QUESTIONS.items():
        sentences = getattr(known, question) or [NOT_SAID]
        described[name] = " ".join(sentences) if name in _ONE_TEXT else sentences
    if known.synthetic is not None:
        described["rai:hasSyntheticData"] = known.synthetic
    sources = known.sources or [Source(name=NOT_SAID)]
    described["prov:wasDerivedFrom"] = [
        ({"@id": source.url} if source.url else {}) | {"prov:label": source.name}
        for source in sources
    ]
    described["prov:wasGeneratedBy"] = [
        {"@type": "prov:Activity", "prov:label": sentence} for sentence in known.activities
    ]
    return described


def _of_recipe(info: DatasetInfo) -> Responsible:
    """What was noted when a user's own images became chips."""
    recipe = info.recipe
    names = filter(None, [info.attribution, *(recipe.files if recipe else ())])
    sources = [Source(name=name[:LONGEST]) for name in names][:50]
    return Responsible(sources=sources, activities=[f"Of images: {recipe}."] if recipe else [])
