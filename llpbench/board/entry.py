"""What an entry says of itself: the model of ``entry.yaml``.

The JSON Schema in ``leaderboard/entry.schema.json`` is made of this model.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from llpbench.board.fields import (
    FILL_IN,
    Address,
    Amount,
    Command,
    Commit,
    Count,
    DatasetName,
    Digest,
    Doi,
    Licence,
    Line,
    Name,
    Orcid,
    Paragraph,
    ParameterName,
    Seed,
    Setting,
    Slug,
    Url,
)
from llpbench.errors import BoardError, examples
from llpbench.exported.card import FileFormat, Quantisation

FORMAT = 1
"""Version of ``entry.yaml``."""

_NO_LONGER_READ = {"bytes_float32", "bytes_float16", "bytes_int8"}
"""Of a footprint: arithmetic on the number of weights, and no bytes of a file that works."""


Kind = Literal["entry", "file", "reference", "bound"]
"""What an entry is on the board. Of these only ``entry`` is ranked."""


class _Strict(BaseModel):
    """No unknown fields, no conversions."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Author(_Strict):
    """Somebody who made the method or the entry."""

    name: Name
    affiliation: Line | None = None
    orcid: Orcid | None = None


class Paper(_Strict):
    """Where the method is described."""

    title: Line
    url: Url | None = None
    doi: Doi | None = None
    bibtex: Paragraph | None = None


class Code(_Strict):
    """What the predictions were made with."""

    url: Url
    commit: Commit


class Footprint(_Strict):
    """What a fitted method costs, as ``run.json`` has it; None where unknown.

    Times are in milliseconds a chip on one core, label bytes those that training needs and those
    of pixel labels for the same chips.
    """

    parameters: Count
    non_trainable: Count = 0
    multiply_adds: Count | None = None
    label_uplink_bytes: Count | None = None
    pixel_label_bytes: Count | None = None
    latency_p50_ms: Amount | None = None
    latency_p95_ms: Amount | None = None

    @model_validator(mode="before")
    @classmethod
    def _leave_aside(cls, content: Any) -> Any:
        """Entries of earlier versions say how many bytes so many numbers would take."""
        if not isinstance(content, dict):
            return content
        return {name: value for name, value in content.items() if name not in _NO_LONGER_READ}


class Export(_Strict):
    """The files that made the predictions, one for each seed, and what they cost where they run.

    As :class:`~llpbench.exported.footprint.ExportFootprint` has it, in one thread: bytes of the
    largest file, means of its times for a chip in milliseconds, the most memory. ``digests`` are
    SHA-256 of the files in the order of the seeds.
    """

    file_format: FileFormat
    quantize: Quantisation
    bytes: Annotated[Count, Field(ge=1)]
    digests: Annotated[list[Digest], Field(min_length=1, max_length=20)]
    latency_p50_ms: Amount
    latency_p95_ms: Amount
    memory_bytes: Count | None = None


class Segmentations(_Strict):
    """Where the segmentations are deposited, and what they must be.

    ``digests`` are in the order of the seeds; ``llpbench leaderboard new`` writes them.
    """

    doi: Doi | None = None
    digests: Annotated[list[Digest], Field(min_length=1, max_length=20)]


class Part(_Strict):
    """The entry's predictions on one dataset."""

    digest: Digest = Field(description="Digest of the dataset, as `llpbench info` prints it.")
    trained_on: DatasetName
    seeds: Annotated[list[Seed], Field(min_length=1, max_length=20)]
    command: Command = Field(description="What makes these predictions again.")
    fit_seconds: Amount | None = Field(default=None, description="Wall time, mean of the seeds.")
    predict_seconds: Amount | None = None
    footprint: Footprint
    export: Export | None = Field(
        default=None, description="Where exported files made the predictions: what flies."
    )
    segmentations: Segmentations | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError("a seed is there more than once")
        if self.segmentations and len(self.segmentations.digests) != len(self.seeds):
            raise ValueError("segmentations need one digest for each seed, or none at all")
        if self.export and len(self.export.digests) != len(self.seeds):
            raise ValueError("an export needs the digest of one file for each seed")
        return self


class Entry(_Strict):
    """An entry of the leaderboard: ``entry.yaml`` in ``entries/<team>__<method>/``."""

    model_config = ConfigDict(title="Entry of the llpbench leaderboard")

    format: Literal[1]
    team: Slug = Field(description="As in the name of the folder, <team>__<method>.")
    method: Slug
    title: Name = Field(description="What the board calls the method.")
    description: Paragraph = ""
    authors: Annotated[list[Author], Field(min_length=1, max_length=50)]
    contact: Address | Url = Field(description="E-mail address or web page; it is published.")
    paper: Paper | None = None
    code: Code | None = None
    licence: Licence = Field(description="SPDX identifier, of the predictions.")
    track: Literal["inductive", "disaggregation", "cross-region"]
    supervision: Literal["division", "chip", "pixel"]
    selection: Paragraph = Field(
        min_length=1, description="How epochs, settings and read-outs were chosen, by which data."
    )
    designed_on: Annotated[list[DatasetName], Field(max_length=50)] = Field(
        default=[],
        description="Datasets on whose labels, of any split, the method or its settings were "
        "designed or tuned. The board marks results on them as not independent.",
    )
    external_data: Annotated[list[Line], Field(max_length=20)] = []
    pretrained_weights: Annotated[list[Line], Field(max_length=20)] = []
    deterministic: bool = Field(description="Whether every seed gives the same predictions.")
    reference: bool = Field(
        default=False, description="A floor or ceiling for others, outside the ranking."
    )
    hyperparameters: Annotated[dict[ParameterName, Setting], Field(max_length=100)] = {}
    hardware: Line
    datasets: Annotated[dict[DatasetName, Part], Field(min_length=1, max_length=50)]

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.team}__{self.method}"

    @property
    def kind(self) -> Kind:
        """What its rows are: bounds, references, files of a method, or entries that compete."""
        if self.supervision != "division":
            return "bound"
        if self.reference:
            return "reference"
        return "file" if any(part.export for part in self.datasets.values()) else "entry"

    @property
    def is_ranked(self) -> bool:
        """Whether it competes; a file is its method once more, and would only crowd the others."""
        return self.kind == "entry"

    @model_validator(mode="after")
    def _check_files(self) -> Self:
        if len({part.export is None for part in self.datasets.values()}) > 1:
            raise ValueError(
                "an entry is predicted by exported files on all of its datasets, or on none: make "
                "two entries"
            )
        return self

    @model_validator(mode="after")
    def _check_track(self) -> Self:
        for name, part in self.datasets.items():
            if (part.trained_on != name) != (self.track == "cross-region"):
                raise ValueError(
                    f"in the {self.track} track, {name!r} cannot be predicted by a method "
                    f"trained on {part.trained_on!r}: cross-region is another region, the other "
                    "tracks the same dataset"
                )
        return self


def validate_entry(content: Any) -> Entry:
    """Make an entry of what ``read_yaml`` read, or say which three fields at most are wrong."""
    try:
        return Entry.model_validate(content)
    except ValidationError as error:
        raise BoardError(f"entry.yaml: {problem_sentences(error)}") from error


def problem_sentences(error: ValidationError) -> str:
    """Say which three fields at most are wrong, and how many there are besides."""
    sentences = [_sentence(problem) for problem in error.errors(include_url=False)]
    more = f", and {len(sentences) - 3} more" if len(sentences) > 3 else ""
    return "; ".join(sentences[:3]) + more


def _sentence(problem: Any) -> str:
    """One problem that pydantic found; what a submitter wrote is quoted and cut."""
    where = ".".join(examples([part]).strip("'") for part in problem["loc"][:6]) or "the file"
    message = problem["msg"].removeprefix("Value error, ")
    value = problem["input"]
    if isinstance(value, str) and value.startswith(FILL_IN):
        return f"{where}: is still to be written ({value[:100]!r})"
    shown = f" (found {examples([value])})" if isinstance(value, str | int | float | None) else ""
    return f"{where}: {message[:300]}{shown}"


def entry_schema() -> str:
    """JSON Schema of ``entry.yaml``, as published in ``leaderboard/entry.schema.json``."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Entry.model_json_schema(),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
