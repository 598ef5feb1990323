"""Writing a store: block by block, so that a run which was killed leaves them to the next.

The files of a block are written, then a note with its hashes; the next run finds the notes and
writes the blocks that have none.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from llpbench._version import __version__
from llpbench.crew import Crew
from llpbench.data.imagery import RGB_ONLY
from llpbench.data.location import Location, locate
from llpbench.data.region import Region
from llpbench.data.store.blocks import BlockWriter
from llpbench.data.store.digest import Part, combine, describe, hash_blocks, small_parts
from llpbench.data.store.files import encode_array, encode_pixels, encode_tables
from llpbench.data.store.layout import (
    BLOCK,
    CHIPS,
    DIVISIONS,
    FORMAT,
    INFO,
    LARGEST_INFO,
    StoreInfo,
)
from llpbench.data.store.notes import Note
from llpbench.data.store.pixels import describe_pixels
from llpbench.data.store.tables import StoredArray, Tables, make_tables
from llpbench.errors import StoreError, first_problem
from llpbench.writing import part_path

STATED_TOLERANCE = 1e-3
"""Largest difference between a source's own mixes and ours that is not reported."""


@dataclass(frozen=True)
class WriteReport:
    """What writing a store found; remarks are sentences, one for each thing out of order.

    ``path`` is where it stands: a path, or an address.
    """

    path: Path | str
    name: str
    digest: str
    chips: int
    divisions: int
    remarks: tuple[str, ...]


def write_store(
    region: Region,
    path: Path | str,
    *,
    name: str,
    title: str,
    licence: str,
    attribution: str,
    synthetic: bool = False,
    doi: str | None = None,
    source: str | None = None,
    source_md5: str | None = None,
    crew: Crew | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> WriteReport:
    """Write a region as a store.

    Parameters
    ----------
    path : Path or str
        Where the store will stand, a path or an address; nothing may stand there yet.
    name, title, licence, attribution, synthetic, doi, source, source_md5
        What ``store.json`` says, see :class:`~llpbench.data.store.layout.StoreInfo`.
    crew : Crew, optional
        Who writes blocks, by default this process. The result does not depend on it.
    threads : int, optional
        Of this process, where it does all by itself; by default one for each processor.

    Raises
    ------
    StoreError
        If something stands there, also once another process has made it while this one waited,
        or the disk is full. What was written so far stays beside the path, or at the address,
        and is used by the next call with the same region.
    CrewError
        If the workers are lost; the same stays.
    LLPBenchError
        Whatever the region's reader raises about a bad source; nothing is left then of a folder.
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
        writing = partial(
            _write_blocks,
            crew=crew or Crew(),
            threads=threads or os.cpu_count() or 1,
            progress=progress,
        )
        return _write(region, tables, path, info, writing)
    except ValidationError as error:
        raise StoreError(f"{name} cannot be a dataset: {first_problem(error)}") from error
    except OSError as error:
        kept = f" in {part_path(path).name!r}" if isinstance(path, Path) else ""
        where = f": {error.filename}" if error.filename else ""
        raise StoreError(
            f"the store {str(path)!r} could not be written ({error.strerror or error}{where}); "
            f"what was done is kept{kept} for the next try"
        ) from error


def _write(
    region: Region,
    tables: Tables,
    path: Path | str,
    info: StoreInfo,
    write_blocks: Callable[[BlockWriter], list[Note]],
) -> WriteReport:
    """Put all files where the store will stand, ``store.json`` last."""
    location = locate(path)
    if location.has(INFO):
        raise StoreError(f"{str(location)!r} exists already; remove it or choose another name")
    with location.filling(_plan(region, tables)) as part:
        metadata = encode_pixels(info.chips, region)
        if not part.has(DIVISIONS):
            _put_tables(part, region, tables, metadata)
        writer = BlockWriter(
            part, region.read, region.images, metadata, tables.order, tables.arrays["target"].values
        )
        notes = write_blocks(writer)
        proportions = np.concatenate([note.proportions for note in notes])
        shares = StoredArray(("chip", "category"), proportions)
        for file, content in encode_array("chip_proportions", shares):
            part.put(f"{CHIPS}/{file}", content)
        info = info.model_copy(update={"digest": _digest(region, tables, proportions, notes)})
        content = info.model_dump_json(indent=1, exclude_none=True).encode()
        if not part.put(INFO, content) and part.read(INFO, LARGEST_INFO) != content:
            raise StoreError(f"another process has written {location} in the meantime")
    remarks = (*tables.remarks, *_stated_remarks(notes))
    return WriteReport(path, info.name, info.digest, info.chips, info.divisions, remarks)


def _plan(region: Region, tables: Tables) -> str:
    """Tells one region from another, pixels by where they are read from."""
    small = {name: describe(array.values) for name, array in tables.arrays.items()}
    return combine(small) + hashlib.sha256(pickle.dumps((region.read, region.images))).hexdigest()


def _put_tables(
    part: Location, region: Region, tables: Tables, metadata: Mapping[str, bytes]
) -> None:
    """Put everything but pixels and what follows from them; outlines last: then all is there."""
    for file, content in encode_tables(tables, region):
        part.put(f"{CHIPS}/{file}", content)
    for name, content in metadata.items():
        part.put(f"{CHIPS}/{name}/zarr.json", content)
    outlines = BytesIO()
    tables.divisions.to_parquet(outlines)
    part.put(DIVISIONS, outlines.getvalue())


def _write_blocks(writer: BlockWriter, crew: Crew, threads: int, progress: bool) -> list[Note]:
    from tqdm import tqdm

    chips = len(writer.order)
    blocks = range(-(-chips // BLOCK))
    notes = {}
    with tqdm(total=chips, unit="chip", desc="writing", disable=None if progress else True) as bar:
        for block, note in crew.as_finished(writer, blocks, threads=threads):
            notes[block] = note
            bar.update(len(note.proportions))
    return [notes[block] for block in blocks]


def _digest(
    region: Region, tables: Tables, proportions: NDArray[np.float32], notes: Sequence[Note]
) -> str:
    small = {name: array.values for name, array in tables.arrays.items()}
    pixels: dict[str, Part] = {
        name: (
            np.dtype(array.kind).newbyteorder("<").str,
            (len(proportions), *array.shape),
            hash_blocks(note.hashes[name] for note in notes),
        )
        for name, array in describe_pixels(region.images).items()
    }
    small_arrays = small_parts(small, tables.divisions)
    return combine(small_arrays | {"chip_proportions": describe(proportions)} | pixels)


def _stated_remarks(notes: list[Note]) -> list[str]:
    difference = np.concatenate([note.stated_difference for note in notes])
    beyond = difference > STATED_TOLERANCE
    if not beyond.any():
        return []
    return [
        f"the mixes stored for {beyond.sum()} chips differ by more than {STATED_TOLERANCE} from "
        f"those by equal-area overlap (by {difference[beyond].max():.4f} at most); ours are used"
    ]
