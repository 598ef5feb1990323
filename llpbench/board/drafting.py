"""A new entry: filled from run folders, or to be filled by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llpbench.board.disclosing import ASKED, disclose
from llpbench.board.drafting_files import (
    check_same_files,
    command_by_files,
    describe_files,
    name_of_files,
)
from llpbench.board.entry import FORMAT, Footprint
from llpbench.board.entry_files import check_files, seeds_of, write_seed
from llpbench.board.fields import FILL_IN
from llpbench.board.layout import ENTRY, check_folder_name
from llpbench.board.yaml_files import write_yaml
from llpbench.errors import BoardError, examples
from llpbench.exported.footprint import ExportFootprint
from llpbench.methods.registry import describe_method, split_name
from llpbench.predictions.files import read_predictions
from llpbench.runs.command import command_of
from llpbench.runs.record import Run
from llpbench.runs.results import find_runs
from llpbench.scoring import digest_predictions
from llpbench.writing import replacing

SCHEMA_LINE = "# yaml-language-server: $schema=../../entry.schema.json\n"


def draft_entry(
    folder: Path,
    runs: Sequence[Path],
    said: Mapping[str, Any],
    *,
    files: Sequence[Path] = (),
    dataset: str = "",
) -> Path:
    """Write a new entry from finished runs or files; the path of its ``entry.yaml``.

    Parameters
    ----------
    folder : Path
        ``<team>__<method>``; must not exist, or be empty.
    runs : sequence of Path
        Run folders, or folders that hold them at any depth: seeds and datasets of one method. None
        at all makes an ``entry.yaml`` to be filled by hand.
    said : mapping
        What no run knows, as fields of ``entry.yaml``: ``authors``, ``contact`` and so on. What
        is not there is left to be filled in.
    files : sequence of Path
        Predictions of another program on the test split instead of runs, one for each seed, as
        :func:`llpbench.read_predictions` takes them.
    dataset : str
        Name or path of the dataset they are about.
    """
    folder = folder.absolute()
    check_folder_name(folder.name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BoardError(f"{str(folder)!r} is not empty; remove it or choose another name")
    found = find_runs(runs)
    _check_runs(found)
    with replacing(folder) as beside:
        beside.mkdir(parents=True)
        known = _describe(found, beside) if found else {}
        if files:
            known = {"datasets": _describe_files(files, dataset, beside)}
        content = {**_skeleton(folder.name), **known, **said}
        (beside / ENTRY).write_text(SCHEMA_LINE + write_yaml(content), encoding="utf-8")
        if folder.exists():
            folder.rmdir()
    return folder / ENTRY


def _check_runs(runs: Sequence[Run]) -> None:
    for run in runs:
        if run.record.fold is not None:
            raise BoardError(
                f"the run in {str(run.folder)!r} is fold {run.record.fold} of a cross-validation; "
                "an entry needs runs of `llpbench run` that predict the test split"
            )
        if run.record.train_on != "train":
            raise BoardError(
                f"the run in {str(run.folder)!r} was trained on all divisions, those of the test "
                "split among them; an entry needs runs trained on the train split"
            )
        if run.record.inputs:
            raise BoardError(
                f"the run in {str(run.folder)!r} had inputs that are not in the dataset "
                f"({examples(run.record.inputs)}), so no command makes it again; give its "
                "predictions with --predictions, and name the inputs under external_data"
            )
        if run.record.split != "test" or run.record.interrupted:
            what = "was interrupted" if run.record.interrupted else "did not predict the test split"
            raise BoardError(
                f"the run in {str(run.folder)!r} {what}; an entry needs whole test runs"
            )
    for name in ("method", "track", "supervision"):
        values = {getattr(run.record, name) for run in runs}
        if len(values) > 1:
            raise BoardError(f"an entry has one {name}, found {examples(sorted(values))}")
    check_same_files(runs)
    for dataset in {run.record.dataset for run in runs}:
        digests = {run.record.dataset_digest for run in runs if run.record.dataset == dataset}
        if len(digests) > 1:
            raise BoardError(
                f"the runs predict {len(digests)} versions of {dataset!r} ({examples(digests)}); "
                "predict all seeds on the one that the board is about"
            )
    settings = {json.dumps(run.record.settings, sort_keys=True, default=str) for run in runs}
    if len(settings) > 1:
        raise BoardError("the runs have different settings; an entry has one, make several entries")
    seeds = [(run.record.dataset, run.record.seed) for run in runs]
    if len(set(seeds)) < len(seeds):
        raise BoardError("a dataset and seed is there twice; give each run once")


def _skeleton(name: str) -> dict[str, Any]:
    """All fields in the order of the file."""
    team, method = name.split("__")
    return {
        "format": FORMAT,
        "team": team,
        "method": method,
        "title": method,
        "description": f"{FILL_IN}: what the method does, in a sentence or some",
        "authors": [{"name": f"{FILL_IN}: a name, as many as there are"}],
        "contact": f"{FILL_IN}: an e-mail address or a web page; it is published",
        "paper": None,
        "code": None,
        "licence": "CC-BY-4.0",
        "track": f"{FILL_IN}: inductive, disaggregation or cross-region",
        "supervision": f"{FILL_IN}: division, chip or pixel",
        **ASKED,
        "deterministic": False,
        "reference": False,
        "hyperparameters": {},
        "datasets": {
            "NAME-OF-DATASET": {
                "digest": f"{FILL_IN}: from llpbench info",
                "trained_on": "NAME-OF-DATASET",
                "seeds": [0, 1, 2],
                "command": f"{FILL_IN}: what makes the predictions again",
                "footprint": {"parameters": f"{FILL_IN}: a number"},
            }
        },
    }


def _describe(runs: Sequence[Run], folder: Path) -> dict[str, Any]:
    """What the runs know; their predictions go into the folder."""
    record, files = runs[0].record, name_of_files(runs[0].record.export)
    by_dataset: dict[str, list[Run]] = {}
    for run in sorted(runs, key=lambda run: run.record.seed):
        by_dataset.setdefault(run.record.dataset, []).append(run)
    deterministic = all(_are_identical(group) for group in by_dataset.values())
    if deterministic:
        by_dataset = {name: group[:1] for name, group in by_dataset.items()}
    return {
        "title": f"{record.method} ({files})" if files else record.method,
        "description": _what_it_is(record.method),
        "track": record.track,
        "supervision": record.supervision,
        **disclose(runs, command_of(runs)),
        "deterministic": deterministic,
        "reference": record.is_reference and record.supervision == "division",
        "hyperparameters": {
            name: value if isinstance(value, bool | int | float | str | None) else json.dumps(value)
            for name, value in record.settings.items()
        },
        "datasets": {
            name: _part(group, folder / name) for name, group in sorted(by_dataset.items())
        },
    }


def _describe_files(files: Sequence[Path], dataset: str, folder: Path) -> dict[str, Any]:
    """The part of an entry that files of predictions are; they go into the folder."""
    ds, checked = check_files(files, dataset)
    name = ds.llp.info.name
    seeds = seeds_of(checked)
    for seed, one in zip(seeds, checked, strict=True):
        write_seed(one, folder / name, seed)
    part = {
        "digest": ds.llp.info.digest,
        "trained_on": name,
        "seeds": seeds,
        "command": f"{FILL_IN}: what makes the predictions again",
        "footprint": {"parameters": f"{FILL_IN}: a number"},
    }
    if any("segmentation" in one for one in checked):
        digests = [digest_predictions(one) for one in checked]
        part["segmentations"] = {"doi": None, "digests": digests}
    return {name: part}


def _what_it_is(name: str) -> str:
    """A method in a sentence, and where it is from."""
    info = describe_method(name)
    then = [f"Then {step}." for step in split_name(name)[1]]
    return " ".join([info.summary, *then, f"Source: {info.source}."])


def _are_identical(runs: Sequence[Run]) -> bool:
    """Whether several seeds gave one and the same."""
    return len(runs) > 1 and len({_digest(run) for run in runs}) == 1


def _digest(run: Run) -> str:
    """Of the predictions, as a board computes it when it scores them."""
    return digest_predictions(read_predictions(run.predictions))


def _part(runs: Sequence[Run], folder: Path) -> dict[str, Any]:
    """One dataset: its metadata, and a predictions file for each seed."""
    digests = [_copy_predictions(run, folder) for run in runs]
    record = runs[0].record
    costs = {name: record.footprint.get(name) for name in Footprint.model_fields}
    known = {name: value for name, value in costs.items() if value is not None}
    exports = [run.record.export for run in runs if run.record.export]
    part = {
        "digest": record.dataset_digest,
        "trained_on": record.trained_on,
        "seeds": [run.record.seed for run in runs],
        **(_by_files(runs, exports) if exports else _by_method(runs)),
        "predict_seconds": _seconds([run.record.predict_seconds for run in runs]),
        "footprint": {"parameters": f"{FILL_IN}: a number"} | known,
    }
    if any(digests):
        part["segmentations"] = {"doi": None, "digests": digests}
    return part


def _by_method(runs: Sequence[Run]) -> dict[str, Any]:
    seconds = _seconds([run.record.fit_seconds for run in runs])
    return {"command": str(command_of(runs)), "fit_seconds": seconds}


def _by_files(runs: Sequence[Run], exports: Sequence[ExportFootprint]) -> dict[str, Any]:
    """Nothing was trained in these runs."""
    command = command_by_files(command_of(runs), exports[0])
    return {"command": command, "export": describe_files(exports)}


def _seconds(times: Sequence[float]) -> float:
    return round(float(np.mean(times)), 1)


def _copy_predictions(run: Run, folder: Path) -> str | None:
    """Write a seed's proportions, and its segmentation beside; the digest of both together."""
    predictions = read_predictions(run.predictions)
    write_seed(predictions, folder, run.record.seed)
    return digest_predictions(predictions) if "segmentation" in predictions else None
