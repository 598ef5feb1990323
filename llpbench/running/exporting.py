"""The method that a run trained, written as a file for another runtime."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from pydantic import ValidationError

from llpbench._version import __version__
from llpbench.data.dataset import open_dataset
from llpbench.data.imagery import CELLS, IMAGE, RGB_ONLY, Coding
from llpbench.data.splits import take_part
from llpbench.errors import LLPBenchError, MethodError, StoreError, examples, first_problem
from llpbench.exported.card import Card, FileFormat, Quantisation
from llpbench.exported.reading import ExportedFile, read_exported
from llpbench.methods import gate
from llpbench.methods.method import Method
from llpbench.methods.registry import method_class, method_names, split_name
from llpbench.protocol import WINDOW_SIDE
from llpbench.runs.record import RunRecord, read_run
from llpbench.runs.trained import load_trained
from llpbench.writing import replacing

if TYPE_CHECKING:
    import xarray as xr

_ENDINGS = {"litert": ".tflite", "onnx": ".onnx", "savedmodel": ".savedmodel"}
_CALIBRATED = ("int8", "int16x8")
_CHIPS = 200
"""Training chips that ranges of numbers are found on, at most."""


def export_run(
    run: Path,
    out: Path | None = None,
    *,
    file_format: FileFormat = "litert",
    quantize: Quantisation = "none",
    dataset: str | os.PathLike[str] | None = None,
) -> ExportedFile:
    """Write the method that a run trained as a file that runs without it.

    Parameters
    ----------
    run : Path
        The folder of a run, see :func:`llpbench.run_method`.
    out : Path, optional
        A file, which is replaced, or a new folder for a SavedModel; by default in the folder of the
        run, called as its method and numbers.
    file_format : {"litert", "onnx", "savedmodel"}
        What will run it: LiteRT (once TensorFlow Lite), ONNX Runtime, TensorFlow.
    quantize : {"none", "dynamic", "int8", "int16x8"}
        What numbers it computes with: float32; weights of a byte and float32; bytes; two bytes with
        weights of one. For the last two, ranges of numbers are found on training chips.
    dataset : str or path, optional
        The dataset that the run was trained on, by default the one of its name in the cache.

    Raises
    ------
    LLPBenchError
        If the run cannot be read, its method cannot be written so, or the dataset that it was
        trained on is needed and not there. Nothing is left then.

    Examples
    --------
    >>> run = run_method("bag-ridge", "demo-esaworldcover")  # doctest: +SKIP
    >>> export_run(run.folder, file_format="onnx").path  # doctest: +SKIP
    PosixPath('runs/bag-ridge-demo-esaworldcover-seed0/bag-ridge.onnx')
    """
    if file_format == "savedmodel" and quantize != "none":
        raise LLPBenchError(
            f"a SavedModel computes with float32, found --quantize {quantize}: leave that out, or "
            "give --format litert or onnx"
        )
    record = read_run(run).record
    if record.interrupted:  # its file would be looked at on test before its training ends
        raise MethodError(
            f"the training in {str(run)!r} was interrupted; go on with it before it is exported: "
            "llpbench run with --resume"
        )
    _check_written(split_name(record.method)[0])
    method = load_trained(run, record)
    if method.inputs:
        raise MethodError(
            f"{record.method} sees more of chips than their images ({examples(method.inputs)}), "
            "which files do not take: export a method that sees images alone"
        )
    dataset = dataset or record.trained_on
    train = _calibration(record, dataset) if quantize in _CALIBRATED else None
    out = out or run / _file_name(record.method, file_format, quantize)
    if file_format == "savedmodel" and out.exists():
        raise LLPBenchError(f"{str(out)!r} is there; give --out a new folder")
    try:
        card = _describe(record, method, file_format, quantize, train, _licence(record, dataset))
    except ValidationError as error:
        raise LLPBenchError(
            f"the run in {str(run)!r} is of what no file can say ({first_problem(error)})"
        ) from error
    with replacing(out) as part:
        gate.export(method, part, card, train)
    return read_exported(out)


def _check_written(name: str) -> None:
    """Refuse a method that does not say how it becomes a file; all are imported only then."""
    if method_class(name).export is Method.export:
        written = [n for n in method_names() if method_class(n).export is not Method.export]
        raise MethodError(
            f"{name} cannot be exported, because it is not written as a graph; methods that are: "
            f"{examples(written)}"
        )


def _file_name(method: str, file_format: FileFormat, quantize: Quantisation) -> str:
    numbers = "" if quantize == "none" else f"-{quantize}"
    return f"{method}{numbers}{_ENDINGS[file_format]}"


def _calibration(record: RunRecord, dataset: str | os.PathLike[str]) -> xr.Dataset:
    """Some chips that the method was trained on, at random."""
    if record.fold is not None:
        raise LLPBenchError(
            "a fold of a cross-validation does not say which chips it was trained on, which ranges "
            "of numbers are found on: export a run of the method, or leave --quantize out"
        )
    try:
        ds = open_dataset(dataset)
    except LLPBenchError as error:
        raise LLPBenchError(
            f"ranges of numbers are found on chips of {record.trained_on}, which this was trained "
            f"on and which cannot be opened ({error}); say with --dataset where it is, or leave "
            "--quantize out"
        ) from error
    if ds.llp.info.digest != record.trained_on_digest:
        raise LLPBenchError(
            f"the run was trained on a {record.trained_on} of digest {record.trained_on_digest}, "
            f"found {ds.llp.info.digest}: give that one with --dataset, or leave --quantize out"
        )
    train = take_part(ds, record.train_on)
    chips = train.sizes["chip"]
    chosen = np.random.default_rng(record.seed).choice(chips, min(_CHIPS, chips), replace=False)
    return train.isel(chip=np.sort(chosen))


def _describe(
    record: RunRecord,
    method: Method,
    file_format: FileFormat,
    quantize: Quantisation,
    train: xr.Dataset | None,
    licence: str,
) -> Card:
    """What the file says of itself; the method adds the grid of classes."""
    imagery = (record.images or RGB_ONLY).get(method.array)
    if imagery is None:
        raise LLPBenchError(
            f"{record.method} sees the {method.array} of chips, of which run.json says nothing: "
            "train it again"
        )
    is_decoded = imagery.coding.by_cell  # such are shown to methods as values
    side = WINDOW_SIDE if method.array == IMAGE else CELLS
    return Card(
        llpbench=__version__,
        method=record.method,
        settings=record.settings,
        seed=record.seed,
        trained_on=record.trained_on,
        digest=record.trained_on_digest,
        classes=tuple(method.categories_.tolist()),
        array=cast("Any", method.array),
        bands=tuple(imagery.names),
        dtype="float32" if is_decoded else imagery.dtype,
        coding=Coding() if is_decoded else imagery.coding,
        shape=(side, side, len(imagery.bands)),
        grid=None,
        recipe=record.recipe,
        licence=licence,
        file_format=file_format,
        quantize=quantize,
        calibrated_on=0 if train is None else train.sizes["chip"],
        parameters=_whole(record.footprint.get("parameters")),
        multiply_adds=_whole(record.footprint.get("multiply_adds")),
        supervision=cast("Any", record.supervision),
        is_reference=record.is_reference,
        synthetic=record.synthetic,
        train_on=cast("Any", record.train_on),
        fold=record.fold,
    )


def _whole(number: float | None) -> int | None:
    return None if number is None else int(number)


def _licence(record: RunRecord, dataset: str | os.PathLike[str]) -> str:
    """Licence of the dataset that was trained on; empty where that is not at hand."""
    try:
        info = open_dataset(dataset).llp.info
    except StoreError:
        return ""
    return info.licence if info.digest == record.trained_on_digest else ""
