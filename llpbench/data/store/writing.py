"""Writing a store: block by block into a part that a run which was killed leaves to the next.

The files of a block are written, then a note with its hashes; the next run finds the notes and
continues with the first block that has none.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from llpbench._version import __version__
from llpbench.catalog import NO_LABEL
from llpbench.data.imagery import RGB_ONLY
from llpbench.data.region import Region
from llpbench.data.store.digest import combine, describe, hash_blocks, small_parts
from llpbench.data.store.layout import (
    BLOCK,
    CHIPS,
    DIVISIONS,
    FORMAT,
    INFO,
    StoreInfo,
    files_in_block,
    files_of,
)
from llpbench.data.store.notes import Note, Noting, read_note, write_note
from llpbench.data.store.pixels import describe_embedding, describe_pixels
from llpbench.data.store.tables import StoredArray, Tables, make_tables
from llpbench.errors import LLPBenchError, StoreError, first_problem
from llpbench.writing import discard, locked, part_path, replacing

STATED_TOLERANCE = 1e-3
"""Largest difference between a source's own mixes and ours that is not reported."""


@dataclass(frozen=True)
class WriteReport:
    """What writing a store found; remarks are sentences, one for each thing out of order."""

    path: Path
    digest: str
    chips: int
    divisions: int
    remarks: tuple[str, ...]


def write_store(
    region: Region,
    path: Path,
    *,
    name: str,
    title: str,
    licence: str,
    attribution: str,
    synthetic: bool = False,
    doi: str | None = None,
    source: str | None = None,
    source_md5: str | None = None,
    workers: int | None = None,
    progress: bool = False,
) -> WriteReport:
    """Write a region as a store.

    Parameters
    ----------
    path : Path
        Where the store will stand; nothing may stand there yet.
    name, title, licence, attribution, synthetic, doi, source, source_md5
        What ``store.json`` says, see :class:`~llpbench.data.store.layout.StoreInfo`.
    workers : int, optional
        Threads; by default one for each processor. The result does not depend on it.

    Raises
    ------
    StoreError
        If something stands at ``path``, also once another process has made it while this one
        waited, or the disk is full. Nothing is left at ``path``; what was written so far stays
        beside it and is used by the next call with the same region.
    LLPBenchError
        Whatever the region's reader raises about a bad source; nothing is left at all.
    """
    tables = make_tables(region)
    try:
        info = StoreInfo(
            format=1 if region.recipe is None and region.images == RGB_ONLY else FORMAT,
            name=name,
            title=title,
            chips=len(tables.order),
            divisions=len(tables.divisions),
            synthetic=synthetic,
            doi=doi,
            source=source,
            source_md5=source_md5,
            licence=licence,
            attribution=attribution,
            label_set=region.label_set,
            grid=region.grid,
            recipe=region.recipe,
            images=None if region.images == RGB_ONLY else dict(region.images),
            digest="",
            llpbench_version=__version__,
        )
        StoreInfo.model_validate_json(info.model_dump_json())  # as it will be read
        with locked(path):
            return _write_alone(region, tables, path, info, workers, progress)
    except ValidationError as error:
        raise StoreError(f"{path.name} cannot be a dataset: {first_problem(error)}") from error
    except OSError as error:
        raise StoreError(
            f"the store {str(path)!r} could not be written ({error.strerror or error}); what was "
            f"done is kept in {part_path(path).name!r} for the next try"
        ) from error


def _write_alone(
    region: Region,
    tables: Tables,
    path: Path,
    info: StoreInfo,
    workers: int | None,
    progress: bool,
) -> WriteReport:
    """Write while no other process makes a store of that name."""
    import zarr

    if path.exists():
        raise StoreError(f"{str(path)!r} exists already; remove it or choose another name")
    every_chunk = {"array.write_empty_chunks": True}  # one that is missing is a fault
    try:
        with zarr.config.set(every_chunk), replacing(path, resume=True) as part:
            _prepare(part, region, tables)
            notes = _write_blocks(part, region, tables, workers, progress)
            info = info.model_copy(update={"digest": _finish(part, region, tables, notes)})
            (part / INFO).write_text(
                info.model_dump_json(indent=1, exclude_none=True), encoding="utf-8"
            )
    except LLPBenchError:  # the source is bad, and would be so again
        discard(part_path(path))
        raise
    remarks = (*tables.remarks, *_stated_remarks(notes))
    return WriteReport(path, info.digest, info.chips, info.divisions, remarks)


def _prepare(part: Path, region: Region, tables: Tables) -> None:
    """Make the skeleton, or keep the one that an interrupted run with this region left."""
    plan = part / "plan"
    identity = _identity(region, tables)
    if plan.is_file() and plan.read_text() == identity:
        return
    discard(part)
    (part / "notes").mkdir(parents=True)
    _make_skeleton(part / CHIPS, tables, region)
    tables.divisions.to_parquet(part / DIVISIONS)
    plan.write_text(identity)


def _identity(region: Region, tables: Tables) -> str:
    """Tells one region from another, pixels by where they are read from."""
    small = {name: describe(array.values) for name, array in tables.arrays.items()}
    return combine(small) + hashlib.sha256(pickle.dumps((region.read, region.images))).hexdigest()


def _make_skeleton(path: Path, tables: Tables, region: Region) -> None:
    """Write the small arrays, and pixels that are not there yet."""
    import zarr
    from zarr.codecs import ZstdCodec

    chips, classes = len(tables.order), region.label_set.classes
    coordinates = " ".join(tables.coordinates)
    attributes = {"coordinates": coordinates, **describe_embedding(region.images)}
    group = zarr.create_group(path, zarr_format=3, attributes=attributes)
    unknown = np.full((chips, len(classes)), np.nan, dtype=np.float32)
    small = {**tables.arrays, "chip_proportions": StoredArray(("chip", "category"), unknown)}
    for name, array in small.items():
        group.create_array(
            name, data=array.values, dimension_names=array.dims, attributes=dict(array.attributes)
        )
    meanings = " ".join(label_class.name.replace(" ", "_") for label_class in classes)
    flags: dict[str, Any] = {
        "flag_values": [*range(len(classes)), NO_LABEL],
        "flag_meanings": f"{meanings} no_label",
    }
    shard, chunk = files_of(region.images)
    for name, pixels in describe_pixels(region.images).items():
        group.create_array(
            name,
            shape=(chips, *pixels.shape),
            dtype=pixels.kind,
            chunks=(chunk, *pixels.shape),
            shards=(shard, *pixels.shape),
            compressors=[ZstdCodec(level=1)],  # a tenth larger than level 3, twice as fast
            dimension_names=pixels.dims,
            attributes=flags if name == "label" else dict(pixels.attributes),
        )


def _write_blocks(
    part: Path, region: Region, tables: Tables, workers: int | None, progress: bool
) -> list[Note]:
    import zarr
    from tqdm import tqdm

    pixels = {
        name: zarr.open_array(part / CHIPS / name, mode="r+")
        for name in describe_pixels(region.images)
    }
    chips = len(tables.order)
    target = tables.arrays["target"].values

    def write(start: int) -> Note:
        file = part / "notes" / f"{start // BLOCK:06d}.npz"
        note = read_note(file)
        if note is None:
            noting = Noting()
            for shard in files_in_block(start, chips, region.images):
                block = region.read(tables.order[shard])
                for name, values in block.arrays.items():
                    pixels[name][shard] = values
                noting.add(block, target[shard])
            note = noting.note()
            write_note(file, note)
        return note

    pool = ThreadPoolExecutor(workers or os.cpu_count() or 1)
    bar = tqdm(total=chips, unit="chip", desc="writing", disable=None if progress else True)
    try:
        with bar:
            futures = [pool.submit(write, start) for start in range(0, chips, BLOCK)]
            for future in as_completed(futures):
                bar.update(len(future.result().proportions))
    finally:
        pool.shutdown(cancel_futures=True)  # after an error or Ctrl-C: ends with these blocks
    return [future.result() for future in futures]


def _finish(part: Path, region: Region, tables: Tables, notes: list[Note]) -> str:
    """Add what only the pixels tell, drop the notes, return the digest."""
    import zarr

    proportions = np.concatenate([note.proportions for note in notes])
    zarr.open_array(part / CHIPS / "chip_proportions", mode="r+")[:] = proportions
    small = {name: array.values for name, array in tables.arrays.items()}
    parts = small_parts(small, tables.divisions) | {
        "chip_proportions": describe(proportions),
        **{
            name: (
                np.dtype(array.kind).newbyteorder("<").str,
                (len(proportions), *array.shape),
                hash_blocks(note.hashes[name] for note in notes),
            )
            for name, array in describe_pixels(region.images).items()
        },
    }
    shutil.rmtree(part / "notes")
    (part / "plan").unlink()
    return combine(parts)


def _stated_remarks(notes: list[Note]) -> list[str]:
    difference = np.concatenate([note.stated_difference for note in notes])
    beyond = difference > STATED_TOLERANCE
    if not beyond.any():
        return []
    return [
        f"the mixes stored for {beyond.sum()} chips differ by more than {STATED_TOLERANCE} from "
        f"those by equal-area overlap (by {difference[beyond].max():.4f} at most); ours are used"
    ]
