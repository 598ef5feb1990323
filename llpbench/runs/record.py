"""What a run was, what it cost and how well it did."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from llpbench.brief import Brief
from llpbench.data.appearance import Appearance
from llpbench.data.imagery import Imagery
from llpbench.data.recipe import ImageRecipe
from llpbench.errors import LLPBenchError, examples, first_problem
from llpbench.exported.footprint import ExportFootprint
from llpbench.protocol import ALL, SPLITS
from llpbench.reading import read_json, read_text
from llpbench.scoring.division_scores import DivisionScores
from llpbench.scoring.scores import Scores
from llpbench.writing import is_name, recover

FORMAT = 6
"""Version of ``run.json``; 1 had ``parameters`` for ``settings``, the seed among them; 2 knew
neither ``train_on`` nor ``recipe``, 3 neither ``validation``, ``fold``, ``images`` nor
``inputs``, 4 no ``export``, 5 no ``hardware``."""

_RECIPE, _IMAGES = TypeAdapter(ImageRecipe), TypeAdapter(dict[str, Imagery])
_EXPORT = TypeAdapter(ExportFootprint)

RECORD = "run.json"
"""The record in a run folder; written last."""

UNSCORED = "no chip was scored by a label and no division by known shares"
"""Of a run without scores."""

APPEARANCE = "appearance.json"
"""How the images looked that it was trained on, see :mod:`llpbench.data.appearance`."""


LARGEST = 2**20
"""Bytes of the largest record read; one has some 2,000."""
_LARGEST_APPEARANCE = 2**24
"""Of a thousand bands and more."""


@dataclass(frozen=True, repr=False)
class RunRecord(Brief):
    """What a run was and what it cost; the contents of ``run.json``.

    Parameters
    ----------
    format, protocol, llpbench_version, python_version
        Versions.
    method, supervision, track, is_reference
        See :class:`~llpbench.methods.method.Method`; the method by its name, with its
        post-processors.
    settings : dict
        Of the method's constructor, without ``random_state``, which is ``seed``.
    dataset, dataset_digest, split : str
        What was predicted; the val split as long as the run is interrupted; ``all`` chips.
    trained_on, trained_on_digest : str
        What it was trained on: another dataset in the cross-region track.
    train_on : {"train", "all"}
        The chips and divisions of it that it was fitted to; with all, nothing is scored.
    recipe : ImageRecipe or None
        How the images it was trained on became bytes, where that is known.
    images : dict of str to Imagery, or None
        What the images and embeddings that it was trained on hold; None for red, green and blue.
    fold : str or None
        The part of a cross-validation that it is: its train, val and test splits are then folds of
        the dataset, and no label is looked at.
    inputs : dict of str to str, or None
        SHA-256 of each variable that was added to the dataset for the method, by name, see
        :attr:`llpbench.Method.inputs`.
    synthetic : bool
        Whether one of them was made by a program.
    seed : int
        The method's ``random_state``.
    interrupted : bool
        Whether training was stopped before its end, and may go on.
    fit_seconds, predict_seconds : float
        Wall time; after a resumption that of the last part alone.
    cpu_seconds : float
        Of both, over all threads of the process; that of others which shared the work
        (``--workers``) is not known. Scoring is in none of the three.
    footprint : dict
        See :func:`llpbench.methods.footprint.measure_footprint`.
    probabilities : dict
        ``brier`` and ``expected_calibration_error`` of the pixel probabilities; empty where a
        method has none.
    validation : dict or None
        ``mae`` of the ``divisions`` of the val split whose shares are known, predicted by
        ``chips``, see :meth:`llpbench.data.divisions.Divisions.mae`: what may be chosen by. None
        where there are none, or the method was trained on them or is shown their shares.
    export : ExportFootprint or None
        The exported file that predicted, where it was one; nothing was trained then.
    hardware : str or None
        The machine that it was made on, whose times these are.
    versions : dict of str to str, or None
        Of packages that results may depend on, see :mod:`llpbench.environment`; None where an
        earlier version made it.
    """

    format: int
    protocol: int
    llpbench_version: str
    python_version: str
    method: str
    supervision: str
    track: str
    settings: dict[str, Any]
    is_reference: bool
    dataset: str
    dataset_digest: str
    trained_on: str
    trained_on_digest: str
    split: str
    synthetic: bool
    seed: int
    interrupted: bool
    fit_seconds: float
    predict_seconds: float
    cpu_seconds: float
    footprint: dict[str, float | None]
    probabilities: dict[str, float]
    train_on: str = "train"
    recipe: ImageRecipe | None = None
    validation: dict[str, float] | None = None
    fold: str | None = None
    images: dict[str, Imagery] | None = None
    inputs: dict[str, str] | None = None
    export: ExportFootprint | None = None
    hardware: str | None = None
    versions: dict[str, str] | None = None


@dataclass(frozen=True, repr=False)
class Run(Brief):
    """A finished run: its folder, what was done, and how well.

    ``scores`` are those of chips, ``divisions`` those of means of divisions; None where they were
    not scored.
    """

    folder: Path
    record: RunRecord
    scores: Scores | None
    divisions: DivisionScores | None = None

    @property
    def is_scored(self) -> bool:
        """Whether chips or divisions were scored."""
        return self.scores is not None or self.divisions is not None

    @property
    def predictions(self) -> Path:
        """Its one file of predictions: parquet, or zarr with a segmentation; else it is refused."""
        return self.predictions_of(self.record.split)

    def has_predictions_of(self, split: str) -> bool:
        """Whether it predicted a split."""
        return any(path.exists() for path in self._places(split))

    def predictions_of(self, split: str) -> Path:
        """The one file of predictions of a split; none, or two, are refused."""
        places = self._places(split)
        found = [path for path in places if path.exists()]
        if len(found) != 1:
            raise LLPBenchError(
                f"the run in {str(self.folder)!r} must hold either {places[0].name} or "
                f"{places[1].name}, found {'both' if found else 'none'}"
            )
        return found[0]

    def _places(self, split: str) -> list[Path]:
        return [self.folder / f"predictions-{split}.{ending}" for ending in ("parquet", "zarr")]


def scores_file(split: str) -> str:
    """Name of the file in a run folder that holds the scores of a split."""
    return "scores.json" if split == "test" else f"scores-{split}.json"


def divisions_file(split: str, ending: str = "json") -> str:
    """Name of the file in a run folder that holds the scores of divisions of a split."""
    return f"divisions.{ending}" if split == "test" else f"divisions-{split}.{ending}"


def read_run(folder: Path) -> Run:
    """Read a finished run.

    Parameters
    ----------
    folder : Path
        That :func:`llpbench.run_method` of this or an earlier version wrote.

    Returns
    -------
    Run
        Its scores without chips.

    Raises
    ------
    LLPBenchError
        If there is none, it is of another version, or something in it cannot be.
    """
    recover(folder)
    try:
        record = _check(_convert(read_json(folder / RECORD, LARGEST)))
    except (LLPBenchError, ValueError, TypeError, KeyError, AttributeError) as error:
        reason = first_problem(error)
        raise LLPBenchError(f"{str(folder)!r} holds no run that can be read ({reason})") from error
    file = folder / scores_file(record.split)
    if not file.exists():  # of a run that an earlier version made
        file = folder / f"scores-{record.split}.json"
    scores = Scores.from_json(read_text(file)) if file.exists() else None
    file = folder / divisions_file(record.split)
    divisions = DivisionScores.from_json(read_text(file)) if file.exists() else None
    return Run(folder, record, scores, divisions)


@cache
def _model() -> Any:
    """Of the contents of ``run.json``: a model that converts nothing."""
    from pydantic import ConfigDict, create_model

    strict = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, str_max_length=2000)
    types = get_type_hints(RunRecord)
    known: Any = {
        field.name: (types[field.name], ... if field.default is MISSING else field.default)
        for field in fields(RunRecord)
    }
    return create_model("Record", __config__=strict, **known)


def _check(content: dict[str, Any]) -> RunRecord:
    """A record whose values are of their types, and whose names can name files and nothing else."""
    _model().model_validate(content)
    record = RunRecord(**content)
    for name in (record.dataset, record.trained_on, *record.method.split("+")):
        if not is_name(name):
            raise ValueError(f"{examples([name])} is no name")
    if record.split not in (*SPLITS, ALL):
        raise ValueError(f"there is no split {examples([record.split])}")
    return record


def read_appearance(folder: Path) -> Appearance | None:
    """How the images looked that a run was trained on; None where an earlier version made it."""
    file = folder / APPEARANCE
    if not file.exists():
        return None
    try:
        return Appearance.model_validate_json(read_text(file, _LARGEST_APPEARANCE))
    except (LLPBenchError, ValueError) as error:
        raise LLPBenchError(
            f"{str(file)!r} cannot be read ({first_problem(error)}); train the run again"
        ) from error


def _convert(content: dict[str, Any]) -> dict[str, Any]:
    """The contents of ``run.json`` of any format up to this one, in this one."""
    if content.get("format") not in range(1, FORMAT + 1):
        found = examples([content.get("format")])
        raise ValueError(f"formats up to {FORMAT} are read, found {found}")
    if content.get("recipe") is not None:
        content["recipe"] = _RECIPE.validate_python(content["recipe"])
    if content.get("images") is not None:
        content["images"] = _IMAGES.validate_python(content["images"])
    if content.get("export") is not None:
        content["export"] = _EXPORT.validate_python(content["export"])
    if content["format"] > 1:
        return {**content, "format": FORMAT}
    settings = {**content.pop("parameters")}
    settings.pop("random_state", None)
    return {**content, "format": FORMAT, "settings": settings}
