"""Scores of divisions as JSON and back: shares and areas, from which everything follows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from llpbench.errors import PredictionsError, first_problem
from llpbench.scoring.score import Score

FORMAT = 1
"""Version of the JSON form."""

_Share = Annotated[float, Field(ge=0, le=1.001)]
"""Known shares are those of a table, which may be rounded, and means of float32."""

_Count = Annotated[int, Field(ge=0)]
_Text = Annotated[str, Field(max_length=1000)]
_ARRAYS = ("known", "predicted", "coverage", "areas")


class _Digests(BaseModel):
    """Those that comparisons look at, and of each seed's predictions."""

    model_config = ConfigDict(strict=True)

    dataset: _Text
    predictions: list[_Text]
    scorer: _Text


class _Content(BaseModel):
    """What is read again; ``note`` and ``metrics`` are for people and other programs."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)

    format: int
    dataset: _Text
    split: _Text
    synthetic: bool
    digests: _Digests
    attributes: dict[str, Any]
    categories: list[_Text] = Field(min_length=1)
    divisions: list[_Text] = Field(min_length=1)
    known: list[list[_Share]]
    predicted: list[list[list[_Share]]] = Field(min_length=1)
    coverage: list[Annotated[float, Field(gt=0, le=1)]]
    areas: list[Annotated[float, Field(gt=0)]]
    left_out: dict[str, _Count]

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        rows, columns = len(self.divisions), len(self.categories)
        tables = [self.known, *self.predicted]
        if (
            {len(self.coverage), len(self.areas), *map(len, tables)} != {rows}
            or any(len(shares) != columns for table in tables for shares in table)
            or not set(self.left_out) <= {"uncovered", "unknown"}
        ):
            raise ValueError("fields are of other names or sizes")
        if len(set(self.divisions)) < rows or len(set(self.categories)) < columns:
            raise ValueError("a division or category is there twice")
        return self


def dump_division_scores(fields: Mapping[str, Any], metrics: Mapping[str, Score], note: str) -> str:
    """Write fields of scores as JSON, arrays as lists; ``metrics`` and ``note`` are for people."""
    plain = {name: fields[name] for name in _Content.model_fields if name in fields}
    arrays = {name: fields[name].tolist() for name in _ARRAYS}
    scores = {name: score.model_dump() for name, score in metrics.items()}
    content = {"format": FORMAT, **plain, **arrays, "note": note, "metrics": scores}
    return json.dumps(content, allow_nan=False)


def load_division_scores(text: str) -> dict[str, Any]:
    """Read the fields that :func:`dump_division_scores` wrote; any other text is refused."""
    try:
        fields = _Content.model_validate_json(text).model_dump()
    except ValueError as error:
        reason = f"{first_problem(error):.100}"
        raise PredictionsError(f"this is no JSON of scores of divisions ({reason})") from error
    version = fields.pop("format")
    if version != FORMAT:
        raise PredictionsError(
            f"these scores of divisions have format {version}, this llpbench reads {FORMAT}: "
            "upgrade llpbench"
        )
    return {**fields, **{name: np.array(fields[name]) for name in _ARRAYS}}
