"""Predictions in parts: a folder of parquet files, each of some of the chips."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from llpbench.errors import PredictionsError, examples
from llpbench.predictions.parquet import read_parquet
from llpbench.reading import check_file, read_json
from llpbench.writing import replace_text

if TYPE_CHECKING:
    import xarray as xr

ENDING = ".parquet"
MOST_PARTS = 2**17
LARGEST_PART = 2**31
"""Bytes of a file."""
PLAN = "plan.json"
"""In the folder of predictions that llpbench makes: what they follow from."""
_LARGEST_PLAN = 2**16


def is_parted(path: Path) -> bool:
    """Whether predictions are a folder of parquet files; one that ends in ``.zarr`` is none."""
    return path.is_dir() and path.suffix.lower() in ("", ENDING)


def part_files(folder: Path) -> list[Path]:
    """Files of a folder of predictions, by their names; there is one at least."""
    files = []
    for file in folder.glob(f"[!.]*{ENDING}"):
        files.append(check_file(file, LARGEST_PART, PredictionsError))
        if len(files) > MOST_PARTS:
            raise PredictionsError(
                f"{folder.name} has more than {MOST_PARTS} files of predictions; write larger ones"
            )
    if not files:
        raise PredictionsError(
            f"{folder.name} has no predictions: a folder holds them as part-000000.parquet and so "
            "on; else give a csv, parquet or zarr"
        )
    return sorted(files)


def part_file(folder: Path, number: int) -> Path:
    """Name a file of a folder of predictions; by name they have the order of their numbers."""
    return folder / f"part-{number:06}{ENDING}"


def missing_parts(folder: Path, count: int, plan: Mapping[str, str | int]) -> list[int]:
    """Begin a folder of so many files, or go on with one; which of them are not there.

    Parameters
    ----------
    plan : mapping
        What the predictions follow from: it is kept in the folder, so that others are refused.

    Raises
    ------
    PredictionsError
        If the folder was begun with another plan, or holds something else.
    """
    file = folder / PLAN
    if not file.exists():
        if any(folder.glob("[!.]*")):
            raise PredictionsError(
                f"{str(folder)!r} is not empty, and no predictions in parts were begun there "
                f"(there is no {PLAN}); choose a new folder"
            )
        folder.mkdir(parents=True, exist_ok=True)
        replace_text(file, json.dumps(plan, indent=1))
    found = read_json(file, _LARGEST_PLAN, PredictionsError)
    if found != plan:
        known = found if isinstance(found, dict) else {}
        odd = [name for name in {**plan, **known} if plan.get(name) != known.get(name)]
        raise PredictionsError(
            f"{str(folder)!r} holds other predictions, which differ in {examples(odd)}; remove it, "
            "or choose another folder"
        )
    return [number for number in range(count) if not part_file(folder, number).exists()]


def read_parts(folder: Path, rows: int, categories: Collection[str] | None) -> xr.Dataset:
    """Read all files of a folder, of at most so many rows together."""
    parts: list[xr.Dataset] = []
    for file in part_files(folder):
        left = rows - sum(part.sizes["chip"] for part in parts)
        parts.append(read_parquet(file, left, categories))
    return join(parts, folder.name)


def join(parts: Sequence[xr.Dataset], where: str) -> xr.Dataset:
    """Put predictions of several chips together; all are of the same columns and origin."""
    import xarray as xr

    first = parts[0]
    for part in parts:
        check_alike(first, part, where)
    if len(parts) == 1:
        return first
    return xr.concat(
        parts,
        "chip",
        data_vars="minimal",
        coords="minimal",
        compat="override",
        join="exact",
        combine_attrs="override",
    )


def check_alike(first: xr.Dataset, part: xr.Dataset, where: str) -> None:
    """Refuse parts that have other columns, or say otherwise what they are."""
    for what, one, other in (
        ("columns", _columns(first), _columns(part)),
        ("metadata", sorted(map(str, first.attrs.items())), sorted(map(str, part.attrs.items()))),
    ):
        if one != other:
            odd = set(one) ^ set(other) or {*one}
            raise PredictionsError(
                f"all parts of {where} must have the same {what} in the same order; they differ in "
                f"{examples(sorted(odd))}: write them again, as one set of predictions"
            )


def _columns(part: xr.Dataset) -> list[str]:
    levels = part["level"].to_numpy().tolist() if "level" in part.coords else []
    return [*part["category"].to_numpy().tolist(), *map(str, part.data_vars), *map(str, levels)]
