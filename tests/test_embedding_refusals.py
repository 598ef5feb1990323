"""What does not fit an embedding is said in one sentence, and a trained method asks for its own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from affine import Affine
from embeddings import (
    COLUMNS,
    CRS,
    NORTH,
    ROWS,
    WEST,
    alphaearth_codes,
    build,
    cells,
    refusal,
    write_alphaearth,
    write_tables,
    write_tessera,
)
from own_region import write_raster

from llpbench.data.building import Recipe
from llpbench.errors import BuildError
from llpbench.running.reusing import reuse_recipe

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tables(tmp_path_factory.mktemp("own"))


def _small(path: Path, dtype: str = "int8", features: int = 64, **options: Any) -> Path:
    numbers = np.ones((features, ROWS, COLUMNS), dtype=dtype)
    return write_raster(path, numbers, Affine(10, 0, WEST, 0, -10, NORTH), **options)


def test_what_does_not_fit_is_one_sentence(folder: Path) -> None:
    named = "GOOGLE_SATELLITE_EMBEDDING_V{}_ANNUAL_{}.tif"
    codes = alphaearth_codes()
    first = write_alphaearth(folder / named.format(1, 2020), codes)
    unnamed = _small(folder / "unnamed.tif")
    assert refusal(folder) == "a region needs --image or --stac, --embedding, or both"
    for options, expected in {
        (unnamed,): "unnamed.tif become values cannot be told (it stores int8); name it with "
        "--embedding-coding: alphaearth, tessera, linear",
        (unnamed, "--embedding-coding", "tessera"): "it has no scale for each pixel",
        (first, "--embedding-year", 2021): "is of AlphaEarth 1, 2020, but --embedding-year is 2021",
        (first, "--embedding", write_alphaearth(folder / named.format(1, 2021), codes)): "is of "
        "AlphaEarth 1, 2020 and GOOGLE_SATELLITE_EMBEDDING_V1_ANNUAL_2021.tif of AlphaEarth 1, "
        "2021; give files of one",
        (first, "--embedding", write_alphaearth(folder / named.format(2, 2020), codes)): "of "
        "AlphaEarth 2, 2020; give files of one",
        (
            _small(folder / "a.tif", "float32", 5),
            "--embedding",
            _small(folder / "b.tif", "float32", 6),
        ): "is of 5 features and b.tif of 6 features",
        (_small(folder / "c.tif", "float32", 5), "--embedding-coding", "alphaearth"): "c.tif: it "
        "stores float32, which are values already",
        (folder / "none.tif",): "there is no raster",
    }.items():
        assert expected in refusal(folder, "--embedding", *options)


def _edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    metadata = json.loads(path.read_text())
    change(metadata)
    path.write_text(json.dumps(metadata))


def test_hostile_zarr(folder: Path) -> None:
    whole, path = write_tessera(folder / "whole.zarr"), folder / "hostile.zarr"
    zone = path / "utm31"

    def refused_with(change: Callable[[], object]) -> str:
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(whole, path)
        change()
        return refusal(folder, "--embedding", path, "--max-missing", 0.9)

    def huge(metadata: dict[str, Any]) -> None:
        metadata["codecs"][0]["configuration"]["chunk_shape"] = [1, 8, 2**16, 2**16]
        metadata["chunk_grid"]["configuration"]["chunk_shape"] = [1, 8, 2**16, 2**16]

    def bomb() -> None:
        shard = zone / "scales/c/0/0/0"
        data = bytearray(shard.read_bytes())
        at = data.find((32 * 32 * 4).to_bytes(4, "little"))
        data[at : at + 4] = (2**31 - 1).to_bytes(4, "little")
        shard.write_bytes(bytes(data))

    def attributes(**said: Any) -> Callable[[], object]:
        return lambda: _edit(path / "zarr.json", lambda m: m["attributes"].update(said))

    def drop(name: str) -> None:
        _edit(zone / "zarr.json", lambda m: m["attributes"].pop(name))

    def link() -> None:
        shard = zone / "embeddings/c/0/0/0/0"
        shard.unlink()
        shard.symlink_to("/etc/passwd")

    def scales(dimension: str) -> None:
        _edit(
            zone / "scales/zarr.json",
            lambda m: m.update(dimension_names=["time", dimension, "x"]),
        )

    def uneven() -> None:
        values = np.arange(500.0) ** 2
        zarr.open_array(zone / "x", mode="r+")[:] = values

    assert "takes more than" in refused_with(lambda: _edit(zone / "embeddings/zarr.json", huge))
    assert "would inflate to 2147483647 bytes" in refused_with(bomb)
    assert "no regular file" in refused_with(link)
    assert "must have a scale for each pixel" in refused_with(lambda: scales("other"))
    assert "its array 'lost'" in refused_with(
        attributes(**{"geoemb:quantization": {"scale": {"type": "array", "array_name": "lost"}}})
    )
    elsewhere = {"type": "array", "array_name": str(whole / "utm31" / "scales")}
    assert "is called by a path, not by a name" in refused_with(
        attributes(**{"geoemb:quantization": {"scale": elsewhere}})
    )
    assert "source: 'x\\x1b[31m, 2024' holds characters" in refused_with(
        attributes(**{"geoemb:model": "x\x1b[31m"})
    )
    assert "quantised in a way" in refused_with(
        attributes(**{"geoemb:quantization": {"method": "binary"}})
    )
    assert "coordinate reference system" in refused_with(lambda: drop("proj:code"))
    assert "not evenly spaced" in refused_with(uneven)
    assert "holds no embedding" in refused_with(
        lambda: _edit(
            zone / "embeddings/zarr.json", lambda m: m.update(dimension_names=list("abyx"))
        )
    )


def test_linear_that_is_not(folder: Path) -> None:
    """The example of the convention calls AlphaEarth linear, which its own page does not."""
    path = folder / "aef.zarr"
    said = {
        "geoemb:model": "https://arxiv.org/abs/2507.22291",
        "geoemb:quantization": {
            "method": "linear",
            "original_dtype": "float32",
            "scale": {"type": "scalar", "scale": 0.0078125, "offset": 0.0},
        },
        "proj:code": CRS,
        "spatial:transform": [10.0, 0.0, WEST, 0.0, -10.0, NORTH],
    }
    codes = alphaearth_codes()
    group = zarr.open_group(path, mode="w", zarr_format=3, attributes=said)
    group.create_array("embeddings", data=codes, dimension_names=("band", "y", "x"))
    assert "calls them linear, which it is not" in refusal(folder, "--embedding", path)
    options = ("--embedding", path, "--embedding-coding")
    linear, _ = build(folder, "linear", *options, "linear")
    chip = linear["chip"].values[0]
    expected = cells(codes * 0.0078125, chip)
    np.testing.assert_allclose(linear["embedding"].values[0], expected, atol=1e-6)


def test_a_new_region_needs_the_same_embedding(folder: Path) -> None:
    named = "GOOGLE_SATELLITE_EMBEDDING_{}.tif"
    codes = alphaearth_codes()
    codes[:, 50:60, 50:60] = 5
    kinds = ("V1_ANNUAL_2018", "V2_ANNUAL_2019", "V1_ANNUAL_2019")
    first, other, later = (write_alphaearth(folder / named.format(kind), codes) for kind in kinds)
    pixels = np.random.default_rng(4).integers(0, 256, (3, ROWS, COLUMNS), dtype=np.uint8)
    image = write_raster(folder / "own.tif", pixels, Affine(10, 0, WEST, 0, -10, NORTH))
    ds, _ = build(folder, "trained", "--image", image, "--embedding", first)

    def reuse(images: list[Path], embeddings: list[Path]) -> list[str]:
        recipe = Recipe(images, embeddings=embeddings)
        return reuse_recipe(ds.llp.info.recipe, recipe, force=False)[1]

    for given, expected in [
        (([image], [other]), r"AlphaEarth 2, 2019 with .*AlphaEarth 1, 2018"),
        (([image], []), r"trained on an embedding, .*give it with --embedding"),
        (([], [first]), r"trained on an image, .*give it with --image"),
    ]:
        with pytest.raises(BuildError, match=expected):
            reuse(*given)
    assert "the embedding is of 2019, trained on 2018" in reuse([image], [later])


def test_an_embedding_alone_is_used_again(folder: Path) -> None:
    path = write_alphaearth(folder / "aef_v1_2022.tif", alphaearth_codes())
    ds, _ = build(folder, "alone", "--embedding", path, "--max-missing", 0.02)
    recipe, said, faults = reuse_recipe(ds.llp.info.recipe, Recipe(embeddings=[path]), force=False)
    assert (recipe.chip_km, recipe.crs, faults) == (1, "auto", [])
    assert said == ["as in training: chips of 1 km"]
    with pytest.raises(BuildError, match="without an image; leave --image away"):
        reuse_recipe(ds.llp.info.recipe, Recipe([path], embeddings=[path]), force=False)
