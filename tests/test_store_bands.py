"""Stores of any bands and embeddings: laid out, read back, decoded, verified, bounded in bytes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given
from hypothesis import strategies as st
from regions import make_region, write_region

from llpbench import open_dataset
from llpbench.data.appearance import look_at
from llpbench.data.imagery import EMBEDDING, IMAGE, RGB_ONLY, SIDES, Band, Coding, Imagery
from llpbench.data.region import ChipBlock, Region
from llpbench.data.store import read_info, verify_store
from llpbench.data.store.layout import files_of
from llpbench.errors import LLPBenchError, StoreError
from llpbench.protocol import prediction_inputs

SENTINEL2 = Imagery(
    tuple(Band(f"B{number}", wavelength=400.0 + 30 * number) for number in range(1, 14)),
    "uint16",
    Coding(scale=1e-4, offset=-0.1, missing=0),
    "Sentinel-2 L2A",
)
ALPHAEARTH = Imagery(
    tuple(Band(f"A{number:02}") for number in range(64)),
    "int8",
    Coding(scale=1 / 127.5, power=2, missing=-128),
    "AlphaEarth",
)
TESSERA = Imagery(tuple(Band(str(n)) for n in range(128)), "int8", Coding(by_cell=True), "TESSERA")


@dataclass(frozen=True)
class ManyBands:
    """Random numbers of every kind that an array can hold, the same for a chip each time."""

    labels: Callable[[Sequence[str]], ChipBlock]
    images: dict[str, Imagery]

    def __call__(self, chips: Sequence[str]) -> ChipBlock:
        arrays = {
            name: np.stack([_numbers(chip, name, imagery) for chip in chips])
            for name, imagery in self.images.items()
        }
        scale = None
        if any(imagery.coding.by_cell for imagery in self.images.values()):
            scale = np.stack([_scale(chip) for chip in chips])
        block = replace(self.labels(chips), image=None)
        return replace(block, **arrays, embedding_scale=scale)


def _numbers(chip: str, name: str, imagery: Imagery) -> np.ndarray:
    generator = np.random.default_rng(list(chip.encode()))
    side, kind = SIDES[name], np.iinfo(imagery.dtype)
    size = (side, side, len(imagery.bands))
    return generator.integers(kind.min, kind.max, size, imagery.dtype, endpoint=True)


def _scale(chip: str) -> np.ndarray:
    scale = np.random.default_rng(len(chip)).random((24, 24), dtype=np.float32)
    scale[0, 0] = np.nan
    return scale


def _region(images: dict[str, Imagery]) -> Region:
    region = make_region()
    return replace(region, read=ManyBands(region.read, images), images=images)


@pytest.mark.parametrize(
    "images",
    [
        {IMAGE: SENTINEL2},
        {EMBEDDING: ALPHAEARTH},
        {IMAGE: SENTINEL2, EMBEDDING: TESSERA},
    ],
    ids=["image", "embedding", "both"],
)
def test_a_store_gives_back_what_was_written(tmp_path: Path, images: dict[str, Imagery]) -> None:
    region = _region(images)
    write_region(region, tmp_path / "mine")
    info = verify_store(tmp_path / "mine")
    ds = open_dataset(tmp_path / "mine")
    assert info.format == 2
    assert dict(ds.llp.info.images) == images
    block = region.read(ds["chip"].to_numpy().tolist())
    for name, values in block.arrays.items():
        np.testing.assert_array_equal(ds[name].to_numpy(), values)
        assert ds[name].dtype == values.dtype
    assert (IMAGE in ds) == (IMAGE in images)


def test_values_are_decoded_as_their_codings_say(tmp_path: Path) -> None:
    """The formulas are those of CF 8.1 and of TESSERA's and AlphaEarth's own documentation."""
    write_region(_region({IMAGE: SENTINEL2, EMBEDDING: TESSERA}), tmp_path / "mine")
    ds = open_dataset(tmp_path / "mine").isel(chip=slice(2))
    stored = ds["image"].to_numpy().astype(np.float64)
    expected = np.where(stored == 0, np.nan, stored / 10_000 - 0.1)
    np.testing.assert_allclose(ds.llp.values().to_numpy(), expected, atol=1e-6)
    cells = ds["embedding"].to_numpy() * ds["embedding_scale"].to_numpy()[..., np.newaxis]
    np.testing.assert_array_equal(ds.llp.values("embedding").to_numpy(), cells)
    assert np.isnan(cells[:, 0, 0]).all()
    write_region(_region({EMBEDDING: ALPHAEARTH}), tmp_path / "other")
    ds = open_dataset(tmp_path / "other").isel(chip=slice(2))
    v = ds["embedding"].to_numpy().astype(np.float64)
    expected = np.where(v == -128, np.nan, np.sign(v) * (v / 127.5) ** 2)
    np.testing.assert_allclose(ds.llp.values("embedding").to_numpy(), expected, rtol=1e-5)


def test_xarray_alone_decodes_a_linear_image(tmp_path: Path) -> None:
    write_region(_region({IMAGE: SENTINEL2}), tmp_path / "mine")
    plain = xr.open_zarr(tmp_path / "mine" / "chips.zarr", consolidated=False)["image"][:2]
    ours = open_dataset(tmp_path / "mine").isel(chip=slice(2)).llp.values()
    np.testing.assert_allclose(plain.to_numpy(), ours.to_numpy(), rtol=1e-5, atol=1e-6)


def test_a_method_sees_how_numbers_become_values_and_no_other_attribute(tmp_path: Path) -> None:
    write_region(_region({EMBEDDING: ALPHAEARTH}), tmp_path / "mine")
    ds = open_dataset(tmp_path / "mine")
    ds["embedding"].attrs["truth"] = "1 2 3"
    seen = prediction_inputs(ds.llp.group(), "inductive")
    assert Coding.of_attributes(seen["embedding"].attrs) == ALPHAEARTH.coding
    assert "truth" not in seen["embedding"].attrs
    assert "truth" in ds["embedding"].attrs


def test_files_are_bounded_in_bytes_not_chips(tmp_path: Path) -> None:
    wide = Imagery(tuple(Band(str(number)) for number in range(64)), "float32")
    for images in (RGB_ONLY, {IMAGE: SENTINEL2}, {IMAGE: wide}, {EMBEDDING: ALPHAEARTH}):
        shard, chunk = files_of(images)
        (name, imagery), *_ = images.items()
        assert shard * imagery.chip_bytes(name) <= 2**24
        assert chunk * imagery.chip_bytes(name) <= max(2**20, imagery.chip_bytes(name))
        assert shard % chunk == 0
        assert 512 % shard == 0
    write_region(_region({IMAGE: SENTINEL2}), tmp_path / "mine")
    array = zarr.open_array(tmp_path / "mine" / "chips.zarr" / "image", mode="r")
    assert math.prod(array.shards) * 2 <= 2**24


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scale_factor": 0.1}, "image is coded as"),
        ({"missing_value": 7}, "image is coded as"),
    ],
)
def test_an_array_coded_otherwise_than_described_is_refused(
    tmp_path: Path, change: dict[str, float], said: str
) -> None:
    write_region(_region({IMAGE: SENTINEL2}), tmp_path / "mine")
    zarr.open_array(tmp_path / "mine" / "chips.zarr" / "image", mode="r+").attrs.update(change)
    with pytest.raises(StoreError, match=said):
        open_dataset(tmp_path / "mine")


def test_a_description_of_other_bands_is_refused(tmp_path: Path) -> None:
    write_region(_region({IMAGE: SENTINEL2}), tmp_path / "mine")
    info = read_info(tmp_path / "mine")
    for images, said in (
        ({IMAGE: replace(SENTINEL2, bands=SENTINEL2.bands[:12])}, "along band"),
        ({IMAGE: replace(SENTINEL2, bands=(*SENTINEL2.bands[:12], Band("C")))}, "band should be"),
        ({IMAGE: replace(SENTINEL2, dtype="int16")}, "should be int16"),
        ({"label": SENTINEL2}, "found 'label'"),
        ({IMAGE: replace(SENTINEL2, bands=SENTINEL2.bands[:1] * 13)}, "more than once"),
    ):
        changed = info.model_copy(update={"images": images})
        (tmp_path / "mine" / "store.json").write_text(changed.model_dump_json(exclude_none=True))
        with pytest.raises(StoreError, match=said):
            open_dataset(tmp_path / "mine")


@given(
    values=st.lists(st.floats(-1, 1, width=32) | st.just(math.nan), min_size=1),
    coding=st.sampled_from(
        [ALPHAEARTH.coding, Coding(scale=1 / 127, missing=-128), Coding(1 / 100, 0.1, missing=127)]
    ),
)
def test_values_come_back_within_a_step(values: list[float], coding: Coding) -> None:
    array = np.array(values, dtype=np.float32)
    stored = coding.encode(array, "int8")
    back = coding.decode(stored)
    np.testing.assert_array_equal(np.isnan(back), np.isnan(array))
    np.testing.assert_array_equal(coding.encode(back, "int8"), stored)
    steps = np.abs(coding.decode(np.arange(-127, 127, dtype=np.int8)))
    most = np.nanmax(np.abs(np.diff(np.sort(steps))))
    inside = ~np.isnan(array) & (np.abs(array) <= np.nanmax(steps))
    assert (np.abs(back - array)[inside] <= most + 1e-6).all()


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """Bands and cells with scales of their own."""
    path = tmp_path_factory.mktemp("both") / "mine"
    write_region(_region({IMAGE: SENTINEL2, EMBEDDING: TESSERA}), path)
    return open_dataset(path)


def test_what_is_held_follows_what_is_selected(both: xr.Dataset) -> None:
    assert both.llp.info.images == {IMAGE: SENTINEL2, EMBEDDING: TESSERA}
    part = both.sel(band=["B8", "B4"]).drop_vars([EMBEDDING, "embedding_scale"])
    image = part.llp.info.images[IMAGE]
    assert part.llp.info.images.keys() == {IMAGE}
    assert image.bands == (SENTINEL2.bands[7], SENTINEL2.bands[3])
    assert (image.coding, image.source) == (SENTINEL2.coding, SENTINEL2.source)
    assert [channel.name for channel in look_at(part).channels] == ["B8", "B4"]
    mean = part.llp.values().mean("band").expand_dims(band=["mean"], axis=-1)
    index = part.drop_vars([IMAGE, "band"]).assign(image=mean)
    assert index.llp.info.images[IMAGE].bands == (Band("mean"),)
    assert index.llp.info.images[IMAGE].coding == Coding()


def test_what_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    twice = Imagery((Band("a"), Band("a")), "uint8")
    with pytest.raises(StoreError, match="mine cannot be a dataset: images: names of bands"):
        write_region(_region({IMAGE: twice}), tmp_path / "mine")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("select", [{"band": 0}, {"feature": 0}, {"band": []}])
def test_bands_are_a_list(both: xr.Dataset, select: dict[str, Any]) -> None:
    with pytest.raises(LLPBenchError, match=r"its last dimension, of one at least, found .* list"):
        _ = both.isel(select).llp


def test_a_netcdf_file_holds_values_and_embeddings(both: xr.Dataset, tmp_path: Path) -> None:
    ds = both.drop_vars([IMAGE, "label"])  # netCDF 3 has no unsigned numbers
    ds.to_netcdf(tmp_path / "mine.nc")
    with xr.open_dataset(tmp_path / "mine.nc") as copied:
        np.testing.assert_array_equal(
            copied.llp.values(EMBEDDING).to_numpy(), ds.llp.values(EMBEDDING).to_numpy()
        )
        assert copied.llp.info.images[EMBEDDING].coding == TESSERA.coding
