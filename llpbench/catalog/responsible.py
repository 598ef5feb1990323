"""What users of a dataset must know besides its numbers: limits, biases, people, uses, origins.

These are the questions of Croissant's vocabulary of responsible AI
(http://mlcommons.org/croissant/RAI/1.0). Answers are data, in ``responsible.toml``.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from llpbench.brief import Brief
from llpbench.catalog.benchmark import load
from llpbench.errors import LLPBenchError, first_problem, printable
from llpbench.reading import read_text

Origin = Literal["published", "synthetic", "own"]
"""Where a dataset is from: a record of the catalog, a program of llpbench, or anybody else."""

LARGEST = 64 * 1024
"""Bytes of the largest file of answers read."""
LONGEST = 2000
"""Characters of a sentence."""

Sentence = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(printable)]
Sentences = Annotated[list[Sentence], Field(max_length=50)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Source(_Strict):
    """Data that a dataset was made of: a name and, where it has one, an address."""

    name: Sentence
    url: Annotated[str, Field(pattern=r"^https?://[^\s<>\"]+$", max_length=500)] | None = None


class Responsible(Brief, _Strict):
    """Sentences on what users of a dataset must know; none where nobody said anything.

    Fields are Croissant's ``rai:dataLimitations``, ``dataBiases``,
    ``personalSensitiveInformation``, ``dataUseCases``, ``dataSocialImpact``;
    ``prov:wasDerivedFrom``, ``prov:wasGeneratedBy``; and ``rai:hasSyntheticData``, None where it
    is not known.
    """

    limitations: Sentences = []
    biases: Sentences = []
    sensitive_information: Sentences = []
    uses: Sentences = []
    social_impact: Sentences = []
    sources: Annotated[list[Source], Field(max_length=50)] = []
    activities: Sentences = []
    synthetic: bool | None = None

    def __add__(self, other: Responsible) -> Self:
        """What both say, in this order; whether it is synthetic, the first knows better."""
        lists = {name: value + getattr(other, name) for name, value in self._lists().items()}
        known = other.synthetic if self.synthetic is None else self.synthetic
        return self.model_copy(update={**lists, "synthetic": known})

    @property
    def unanswered(self) -> list[str]:
        """Names of the fields of which nothing is known."""
        empty = [name for name, value in self._lists().items() if not value]
        return empty + ["synthetic"] * (self.synthetic is None)

    def _lists(self) -> dict[str, list[Any]]:
        return {name: value for name, value in self if isinstance(value, list)}


def responsible(origin: Origin, labels: str) -> Responsible:
    """Say what is known of a dataset from where it is and the kind of its labels.

    Parameters
    ----------
    origin : {"published", "synthetic", "own"}
        Of somebody's own dataset only what follows from its form is known, and what is wrong with
        labels of a known kind.
    labels : str
        Name of its label set.

    Examples
    --------
    >>> responsible("published", "humanpop").unanswered
    []
    >>> responsible("own", "my-classes").unanswered
    ['biases', 'sensitive_information', 'sources', 'synthetic']
    """
    known = _known()
    if origin == "synthetic":
        return known["synthetic"] + known["every"]
    said = Responsible(biases=[*load().label_noise.get(labels, ())]) + known["every"]
    if origin == "own":
        return said
    return known["published"] + known["label_sets"].get(labels, Responsible()) + said


def read_responsible(path: Path) -> Responsible:
    """Read what somebody says of a dataset: a TOML file of at most 64 kB.

    Parameters
    ----------
    path : Path
        Lists of sentences called ``limitations``, ``biases``, ``sensitive_information``, ``uses``,
        ``social_impact`` and ``activities``; ``sources``, a list of tables with ``name`` and maybe
        ``url``; and ``synthetic``, true or false. None needs to be there.
    """
    try:
        return Responsible.model_validate(tomllib.loads(read_text(path, LARGEST)))
    except (tomllib.TOMLDecodeError, ValidationError, RecursionError) as error:
        lists = ", ".join(Responsible()._lists())
        raise LLPBenchError(
            f"{path.name} does not say what users of a dataset must know "
            f"({printable(first_problem(error)):.200}); expected is TOML with lists of sentences "
            f"({lists}) and synthetic, true or false"
        ) from error


@cache
def _known() -> dict[str, Any]:
    """Read ``responsible.toml``: by origin, and by label set below ``label_sets``."""
    file = resources.files("llpbench.catalog").joinpath("responsible.toml")
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    by_labels = content.pop("label_sets")
    known: dict[str, Any] = {name: Responsible.model_validate(x) for name, x in content.items()}
    return known | {
        "label_sets": {name: Responsible.model_validate(x) for name, x in by_labels.items()}
    }
