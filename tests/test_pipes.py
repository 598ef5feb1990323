"""Whatever file a user names: a pipe in its place, which would be waited for, is refused."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hostile import assert_sentence

import llpbench
from llpbench.board.card import DatasetCard
from llpbench.board.result import read_stored
from llpbench.board.truth import read_truth
from llpbench.board.yaml_files import read_yaml
from llpbench.data.archive.members import list_members
from llpbench.data.building.files import expand
from llpbench.data.building.legend_files import read_legend
from llpbench.data.building.outline_file import read_file
from llpbench.data.building.raster_file import inspect_rasters
from llpbench.data.building.table_files import read_cells
from llpbench.data.fetch.pinning import pin_records
from llpbench.data.fetch.record import read_registry
from llpbench.data.parquet_files import open_parquet
from llpbench.errors import LLPBenchError
from llpbench.reading import read_arrays, read_json, read_text
from llpbench.runs.record import read_appearance, read_run

READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "predictions": ("p.csv", llpbench.read_predictions),
    "predictions, gzipped": ("p.csv.gz", llpbench.read_predictions),
    "predictions, parquet": ("p.parquet", llpbench.read_predictions),
    "a table": ("t.csv", read_cells),
    "a raster": ("r.tif", lambda path: inspect_rasters([path])),
    "what lies beside a raster": ("r.tif.aux.xml", lambda path: _raster(path)),
    "rasters of a folder": ("r.tif", lambda path: expand([path.parent])),
    "outlines": ("o.gpkg", lambda path: read_file(path, None)),
    "outlines, GeoParquet": ("o.parquet", lambda path: read_file(path, None)),
    "the letters of a shapefile": ("o.dbf", lambda path: _shapefile(path)),
    "a legend": ("l.toml", read_legend),
    "an archive": ("a.zip", list_members),
    "a truth table": ("t.parquet", read_truth),
    "a stored card": ("c.json", lambda path: read_stored(path, DatasetCard)),
    "an entry": ("entry.yaml", read_yaml),
    "a run": ("run.json", lambda path: read_run(path.parent)),
    "the looks of a run": ("appearance.json", lambda path: read_appearance(path.parent)),
    "a registry": ("registry.json", lambda path: read_registry(path.parent)),
    "a catalog": ("catalog.toml", pin_records),
    "parquet": ("p.parquet", open_parquet),
    "text": ("t.txt", read_text),
    "JSON": ("t.json", read_json),
    "arrays": ("t.npz", read_arrays),
}


def _shapefile(pipe: Path) -> object:
    from llpbench.data.building.outline_layers import siblings

    return siblings(pipe.with_suffix(".shp"))


def _raster(pipe: Path) -> object:
    raster = pipe.with_name("r.tif")
    raster.write_bytes(b"II*\0")
    return inspect_rasters([raster])


@pytest.fixture
def seconds() -> Iterator[None]:
    """What hangs ends in an error, after longer than any of it takes."""

    def give_up(*_: object) -> None:
        raise AssertionError("it waits for the pipe")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(30)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("seconds")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
@pytest.mark.parametrize("name", READERS)
def test_a_pipe_is_refused_by_whatever_reads_files(name: str, tmp_path: Path) -> None:
    file, read = READERS[name]
    os.mkfifo(tmp_path / file)
    with pytest.raises(LLPBenchError, match=r"is no regular file|there is no raster") as caught:
        read(tmp_path / file)
    assert_sentence(caught.value)
