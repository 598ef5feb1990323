"""Batches: every chip once an epoch, in an order that the seed decides, the same when streamed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from regions import make_region, write_region
from small_region import small_region

import llpbench
from llpbench.data.batches import Batches
from llpbench.data.batches.augmentation import turn_images
from llpbench.data.batches.frameworks import to_tensorflow, to_torch
from llpbench.data.batches.loader import BUFFER
from llpbench.data.divisions import draw_by_weight
from llpbench.errors import LLPBenchError, UnknownNameError


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    """A split read from a store, of blocks of three chips, one chip outside every division."""
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(12, 6, 4, 3, outside=1), path)
    ds = llpbench.open_dataset(path, "train").llp.group()
    return ds.assign(image=ds["image"].chunk(chip=3))


def window(ds: xr.Dataset) -> np.ndarray[Any, Any]:
    return ds["image"].isel(y=slice(2, 98), x=slice(2, 98)).to_numpy()


def numbers(images: np.ndarray[Any, Any], ds: xr.Dataset) -> list[int]:
    """Which chips images are, all different; -1 where an image is none of them."""
    known = {image.tobytes(): number for number, image in enumerate(window(ds))}
    assert len(known) == ds.sizes["chip"]
    return [known.get(image.tobytes(), -1) for image in images]


@pytest.mark.parametrize("memory", [2**31, 0], ids=["memory", "stream"])
def test_every_chip_comes_once_an_epoch_with_its_target(train: xr.Dataset, memory: int) -> None:
    known = train.isel(chip=np.isfinite(train["target"].to_numpy()).all(axis=1))
    assert known.sizes["chip"] > 3 * BUFFER / 2
    batches = train.llp.batches(5, memory=memory)
    orders = []
    for _epoch in range(2):
        found = list(batches)
        sizes = [len(images) for images, _targets in found]
        assert len(sizes) == len(batches)
        assert sizes[:-1] == [5] * (len(sizes) - 1)
        assert sum(sizes) == known.sizes["chip"]
        images, targets = (np.concatenate(part) for part in zip(*found, strict=True))
        assert images.dtype == np.uint8
        order = numbers(images, known)
        assert sorted(order) == list(range(known.sizes["chip"]))
        np.testing.assert_array_equal(targets, known["target"].to_numpy()[order])
        orders.append(order)
    assert orders[0] != orders[1]


@given(
    chips=st.integers(1, 40),
    batch_size=st.integers(1, 12),
    block=st.integers(1, 9),
    seed=st.integers(0, 3),
)
@settings(max_examples=25)
def test_a_stream_loses_and_repeats_nothing(
    chips: int, batch_size: int, block: int, seed: int
) -> None:
    """Images all of one value, their number; targets likewise."""
    values = np.arange(chips, dtype=np.uint8)
    image = np.broadcast_to(values[:, None, None, None], (chips, 100, 100, 3))
    ds = xr.Dataset(
        {
            "image": (("chip", "y", "x", "band"), image),
            "target": (("chip", "category"), values[:, None].astype(np.float32)),
        }
    ).chunk(chip=block)
    batches = Batches.of(ds, batch_size, memory=0, seed=seed)
    found = list(batches)
    assert [len(images) for images, _targets in found[:-1]] == [batch_size] * (len(batches) - 1)
    order = [int(value) for images, _targets in found for value in images[:, 0, 0, 0]]
    assert sorted(order) == list(range(chips))
    assert order == [int(value) for _images, targets in found for value in targets[:, 0]]


def test_the_order_depends_on_the_seed_only(train: xr.Dataset) -> None:
    def order(seed: int, **options: Any) -> Any:
        batches = train.llp.batches(4, seed=seed, **options)
        return np.concatenate([images for _epoch in range(2) for images, _targets in batches])

    for options in ({}, {"memory": 0}, {"augment": True}):
        np.testing.assert_array_equal(order(1, **options), order(1, **options))
        assert not np.array_equal(order(1, **options), order(2, **options))
    batches = train.llp.batches(4, seed=1)
    second = np.concatenate([images for images, _items in batches.epoch(2)])
    np.testing.assert_array_equal(second, order(1)[len(second) :])


@pytest.mark.parametrize("memory", [2**31, 0], ids=["memory", "stream"])
def test_bags_are_drawn_from_their_division(train: xr.Dataset, memory: int) -> None:
    overlaps = train.llp.overlaps()
    chips = train["chip"].to_numpy()
    batches = train.llp.batches(2, by="division", bag_size=4, memory=memory)
    seen = Counter[int]()  # each division's 6 to 8 chips, some of them cut, fill two bags of four
    for images, targets in batches:
        assert images.shape == (len(targets), 4, 96, 96, 3)
        for bag, target in zip(images, targets, strict=True):
            (division,) = np.flatnonzero((train["division_proportions"] == target).all("category"))
            seen[int(division)] += 1
            inside = overlaps[overlaps["division"] == train["division"].to_numpy()[division]]
            drawn = numbers(bag, train)
            assert set(chips[drawn]) <= set(inside["chip"])
            assert len(set(drawn)) == 4  # each division has more
    assert seen == dict.fromkeys(range(train.sizes["division"]), 2)


def test_small_divisions_repeat_chips_by_area() -> None:
    """Two chips of areas 1 and 3 in one division: exactly a quarter of a bag is the first."""
    region = small_region(2).assign(overlap_area=("overlap", np.array([1, 3], dtype=np.float32)))
    ((images, _targets),) = region.llp.batches(by="division", bag_size=400)
    assert numbers(images[0], region).count(0) == 100


def test_the_mean_of_drawn_chips_is_unbiased() -> None:
    """Chip i of weight w_i is drawn 3 w_i times on average; of 4000 draws, within 5 deviations."""
    weights = np.array([0.05, 0.1, 0.15, 0.3, 0.4])
    generator = np.random.default_rng(0)
    drawn = np.concatenate(
        [draw_by_weight(np.arange(5), weights, 3, generator) for _bag in range(4000)]
    )
    counts = np.bincount(drawn)
    rest = 3 * weights % 1
    assert (np.abs(counts - 4000 * 3 * weights) < 5 * np.sqrt(4000 * rest * (1 - rest)) + 1).all()


def test_images_are_turned_and_flipped_in_all_eight_ways() -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    ways = [np.rot90(side, turns) for side in (image, image[::-1]) for turns in range(4)]
    expected = {np.ascontiguousarray(way).tobytes() for way in ways}
    which = np.random.default_rng(1).integers(8, size=200)
    turned = turn_images(np.stack([image] * 200).reshape(50, 4, 6, 6, 3), which)
    assert turned.shape == (50, 4, 6, 6, 3)
    assert {one.tobytes() for one in turned.reshape(-1, 6, 6, 3)} == expected
    assert len(expected) == 8


def test_bad_options_are_refused(train: xr.Dataset) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'chip'"):
        train.llp.batches(by="chips")
    with pytest.raises(LLPBenchError, match="a batch has at least one chip or division, found 0"):
        train.llp.batches(0)
    with pytest.raises(LLPBenchError, match="a bag has at least one chip, found 0"):
        train.llp.batches(by="division", bag_size=0)
    with pytest.raises(LLPBenchError, match="no chip has a target"):
        train.isel(chip=[]).llp.batches()


@pytest.mark.parametrize("by", ["chip", "division"])
def test_tensorflow_gets_the_same(train: xr.Dataset, by: str) -> None:
    pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
    ours, theirs = (train.llp.batches(5, by=by, bag_size=2) for _copy in range(2))
    made = to_tensorflow(theirs)
    assert len(made) == len(ours)
    for _epoch in range(2):
        for (images, targets), (image, target) in zip(ours, made, strict=True):
            np.testing.assert_array_equal(images, image.numpy())
            np.testing.assert_array_equal(targets, target.numpy())


def test_torch_gets_the_same(train: xr.Dataset) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    ours, theirs = (train.llp.batches(5) for _copy in range(2))
    dataset = to_torch(theirs)
    loader = torch.utils.data.DataLoader(dataset, batch_size=None)
    assert len(loader) == len(ours)
    for _epoch in range(2):
        for (images, targets), (image, target) in zip(ours, loader, strict=True):
            assert image.dtype == torch.uint8
            np.testing.assert_array_equal(images, image.numpy())
            np.testing.assert_array_equal(targets, target.numpy())


def _torch_order(loader: Any, known: xr.Dataset) -> list[int]:
    """Chips of an epoch in their order, each with its own target."""
    images, targets = (np.concatenate(part) for part in zip(*loader, strict=True))
    order = numbers(images, known)
    np.testing.assert_array_equal(targets, known["target"].to_numpy()[order])
    return order


@pytest.mark.parametrize("memory", [2**31, 0], ids=["memory", "stream"])
@pytest.mark.parametrize("persistent", [True, False], ids=["kept", "anew"])
def test_workers_of_torch_share_an_epoch(train: xr.Dataset, memory: int, persistent: bool) -> None:
    """The order is that of one process, whether workers live for an epoch or for all."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    known = train.isel(chip=np.isfinite(train["target"].to_numpy()).all(axis=1))
    alone = train.llp.batches(5, memory=memory)
    dataset = to_torch(train.llp.batches(5, memory=memory))
    loader = torch.utils.data.DataLoader(
        *(dataset, None), num_workers=2, persistent_workers=persistent
    )
    orders = [_torch_order(loader, known) for _epoch in range(3)]
    assert orders == [_torch_order(list(alone), known) for _epoch in range(3)]
    assert all(sorted(order) == list(range(known.sizes["chip"])) for order in orders)
    # Without workers the same dataset goes on, and two loaders do not take each other's batches.
    fourth = _torch_order(torch.utils.data.DataLoader(dataset, None), known)
    assert fourth == _torch_order(list(alone), known)
    if persistent:
        return
    both = list(zip(loader, loader, strict=True))
    for which in range(2):
        order = _torch_order([pair[which] for pair in both], known)
        assert sorted(order) == list(range(known.sizes["chip"]))


@pytest.mark.full
def test_spawned_workers_of_torch_share_an_epoch(train: xr.Dataset) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    known = train.isel(chip=np.isfinite(train["target"].to_numpy()).all(axis=1))
    alone, dataset = train.llp.batches(5), to_torch(train.llp.batches(5))
    loader = torch.utils.data.DataLoader(
        dataset, None, num_workers=2, multiprocessing_context="spawn"
    )
    for _epoch in range(2):
        assert _torch_order(loader, known) == _torch_order(list(alone), known)


@pytest.mark.parametrize("workers", [0, 1])
def test_torch_does_not_make_batches_of_batches(train: xr.Dataset, workers: int) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    loader = torch.utils.data.DataLoader(to_torch(train.llp.batches(5)), num_workers=workers)
    with pytest.raises(LLPBenchError, match="use DataLoader\\(dataset, batch_size=None\\)"):
        next(iter(loader))


@given(
    chips=st.integers(1, 16),
    batch_size=st.integers(1, 7),
    workers=st.integers(1, 5),
    by=st.sampled_from(["chip", "division"]),
    memory=st.sampled_from([2**31, 0]),
)
@settings(max_examples=15)
def test_shares_of_an_epoch_are_the_epoch(
    chips: int, batch_size: int, workers: int, by: Any, memory: int
) -> None:
    """Batch k is that of process k modulo their number, turned as it would be in one process."""
    region = small_region(chips).chunk(chip=3)
    options = {"by": by, "bag_size": 3, "augment": True, "memory": memory}
    batches = region.llp.batches(batch_size, **options)
    whole = list(batches.epoch(2))
    shares = [list(batches.epoch(2, worker, workers)) for worker in range(workers)]
    assert sum(map(len, shares)) == len(whole)
    for number, (images, items) in enumerate(whole):
        image, item = shares[number % workers][number // workers]
        np.testing.assert_array_equal(image, images)
        np.testing.assert_array_equal(item, items)


@pytest.mark.parametrize(("make", "package"), [(to_tensorflow, "tensorflow"), (to_torch, "torch")])
def test_a_missing_framework_is_named(
    make: Any, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, package, None)
    with pytest.raises(LLPBenchError, match=rf"pip install 'llpbench\[{package}\]'"):
        make(small_region(4).llp.batches())
