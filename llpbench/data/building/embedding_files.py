"""The files of an embedding that somebody gives: found, looked at, and all of one kind."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from llpbench.data.building.embedding_coding import choose_coding
from llpbench.data.building.embedding_file import EmbeddingFile
from llpbench.data.building.embedding_origin import (
    ALPHAEARTH,
    TESSERA,
    Origin,
    of_path,
    of_tags,
    plain_version,
)
from llpbench.data.building.embedding_place import right_side_up
from llpbench.data.building.embedding_zarr import inspect_zarr
from llpbench.data.building.files import expand
from llpbench.data.building.opening import GDAL_OPTIONS, open_raster
from llpbench.data.building.raster_file import RasterFile, common_scale, inspect_rasters
from llpbench.data.imagery import Coding
from llpbench.data.zarr_mosaic import is_zarr
from llpbench.errors import BuildError


def inspect_embeddings(
    paths: Sequence[Path], wanted: str | None, told: Origin
) -> tuple[list[EmbeddingFile], list[str]]:
    """Look at GeoTIFFs and Zarr folders of one embedding, without reading their numbers.

    Parameters
    ----------
    paths : sequence of Path
        Files, folders of them, Zarr folders, or patterns.
    wanted : {"alphaearth", "tessera", "linear"}, optional
        Their coding; None to tell it by what they say.
    told : Origin
        Version and year that somebody states, for files that do not.

    Returns
    -------
    files : list of EmbeddingFile
        Where they overlap, the first that has a pixel gives it.
    remarks : list of str
        What they were taken for.
    """
    files: list[EmbeddingFile] = []
    for path in paths:
        for found in _expand(path):
            if is_zarr(found):
                files += inspect_zarr(found, wanted, told)
            else:
                files += [_of_raster(file, wanted) for file in inspect_rasters([found])]
    if not files:
        return [], []
    files = [replace(file, origin=_complete(file, told)) for file in files]
    _check_alike(files)
    return files, _say(files)


def _expand(path: Path) -> list[Path]:
    """Zarr folders that a path means, or the files."""
    if is_zarr(path):
        return [path]
    inside = sorted(path.iterdir()) if path.is_dir() else _fitting(path)
    return [folder for folder in inside if is_zarr(folder)] or expand([path])


def _fitting(path: Path) -> list[Path]:
    if not glob.has_magic(str(path)) or path.exists():
        return []
    return sorted(map(Path, glob.glob(str(path), recursive=True)))  # noqa: PTH207


def _of_raster(file: RasterFile, wanted: str | None) -> EmbeddingFile:
    import rasterio

    with rasterio.Env(**GDAL_OPTIONS), open_raster(file.path, file.driver) as source:
        tags = source.tags()
    features = file.select([band.number for band in file.bands if band.number != file.alpha])
    names = [band.name for band in features.bands]
    origin = of_tags(tags).or_else(of_path(file.path))
    if not origin.model:
        origin = Origin(_named_as(names)).or_else(origin)
    tagged = common_scale([features])
    if tagged is None:
        raise BuildError(
            f"{file.path.name} has features whose scale tags differ; give it as values, for "
            "example with `gdal_translate -unscale -ot Float32`"
        )
    linear = Coding(*tagged) if features.has_tags else None
    coding = choose_coding(
        file.path.name, features.dtype, origin.model, wanted, linear=linear, has_scales=False
    )
    upright = right_side_up(features.place, features.height)
    upright_file = replace(features, place=upright)
    return EmbeddingFile(upright_file, features.transform, origin, coding)


def _named_as(names: Sequence[str]) -> str:
    """The model whose names features have: A00 to A63, or Tessera_Band_0."""
    if names == [f"A{number:02}" for number in range(64)]:
        return ALPHAEARTH
    return TESSERA if all(name.lower().startswith("tessera_band") for name in names) else ""


def _complete(file: EmbeddingFile, told: Origin) -> Origin:
    """What made a file, by what it says and else by what somebody states."""
    said = file.origin
    stated = Origin(version=plain_version(told.version), year=told.year)
    for option, of_file, of_user in (
        ("--embedding-version", said.version, stated.version),
        ("--embedding-year", said.year, stated.year),
    ):
        if of_file and of_user and of_file != of_user:
            raise BuildError(
                f"{file.name} says that it is of {said}, but {option} is {of_user}; give the right "
                "files, or leave the option away"
            )
    return said.or_else(stated)


def _check_alike(files: Sequence[EmbeddingFile]) -> None:
    """Refuse files of several models, versions, years, sizes or codings."""
    first = files[0]
    for file in files:
        kinds = [str(other.origin) or "unknown" for other in (first, file)]
        if first.origin == file.origin:
            kinds = [f"{len(other.raster.bands)} features" for other in (first, file)]
        if kinds[0] == kinds[1]:
            kinds = [_coded(other) for other in (first, file)]
        if kinds[0] != kinds[1]:
            raise BuildError(
                "an embedding must be of one model, version, year and coding, as numbers of others "
                f"mean something else, but {first.name} is of {kinds[0]} and {file.name} of "
                f"{kinds[1]}; give files of one"
            )


def _coded(file: EmbeddingFile) -> str:
    coding = file.coding
    if coding.by_cell:
        how = "times a scale of each pixel"
    elif coding.power != 1:
        how = "as sign(v) (v / 127.5)²"
    else:
        how = (
            f"times {coding.scale:g} plus {coding.offset:g}" if coding != Coding() else "as values"
        )
    return f"{file.raster.dtype} {how}"


def _say(files: Sequence[EmbeddingFile]) -> list[str]:
    first = files[0]
    others = f" and {len(files) - 1:,} other files" if len(files) > 1 else ""
    made = first.origin
    remarks = [
        f"the embedding of {first.name}{others} is of {made if str(made) else 'an unknown model'}: "
        f"{len(first.raster.bands)} features, {_coded(first)}"
    ]
    if not (made.model and made.version):
        remarks.append(
            "the model of the embedding or its version is not said, so that another cannot be told "
            "from it: record it with --embedding-version"
        )
    return remarks
