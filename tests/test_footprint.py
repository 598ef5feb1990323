"""Multiply-adds against counts by hand, bytes, and latency."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from small_region import small_region

from llpbench.methods.footprint import label_bytes, measure_footprint, measure_latency
from llpbench_baselines.backend import keras
from llpbench_baselines.downconv import DownConv
from llpbench_baselines.graph_cost import count_multiply_adds
from llpbench_baselines.keras_method import KerasMethod
from llpbench_baselines.qkm import QKM
from llpbench_baselines.train_mean import TrainMean


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # 24x24 cells, each 48 numbers with 96 filters, then 96 with 5 classes: 2.93 million
        (DownConv(), 24 * 24 * (48 * 96 + 96 * 5)),
        # 23x23 cells of overlapping 8x8 patches
        (DownConv(kernel_size=8, stride=4), 23 * 23 * (8 * 8 * 3 * 96 + 96 * 5)),
        # 47x47 patches, each with 64 components of 48 numbers, then of 5 classes
        (QKM(), 47 * 47 * 64 * (48 + 5)),
    ],
    ids=["downconv", "downconv, overlapping", "qkm"],
)
def test_multiply_adds_of_methods(method: KerasMethod, expected: int) -> None:
    method.model_ = method.build(5)
    assert method.multiply_adds() == expected


def _layers() -> dict[str, tuple[Any, int]]:
    layers = keras.layers
    return {
        # 48x48 positions out, 3x3x3 numbers in, 7 filters
        "convolution": (layers.Conv2D(7, 3, strides=2, padding="same"), 48 * 48 * 27 * 7),
        # each of 3 channels by itself, 2 filters each
        "by channel": (layers.DepthwiseConv2D(5, depth_multiplier=2), 92 * 92 * 25 * 3 * 2),
        # each of 96x96x3 numbers in goes to 2x2 positions of 7 filters
        "transposed": (layers.Conv2DTranspose(7, 2, strides=2), 96 * 96 * 3 * 2 * 2 * 7),
        "dense": (layers.Dense(11), 96 * 96 * 3 * 11),
        "pooling": (layers.AveragePooling2D(2), 0),
    }


@pytest.mark.parametrize("name", ["convolution", "by channel", "transposed", "dense", "pooling"])
def test_multiply_adds_of_layers(name: str) -> None:
    layer, expected = _layers()[name]
    images = keras.layers.Input((96, 96, 3), dtype="uint8")
    output = layer(keras.layers.Rescaling(1 / 256)(images))
    assert count_multiply_adds(keras.Model(images, output)) == expected


def test_multiply_adds_of_products_of_batches() -> None:
    """The product of a 96x3 by a 3x96 matrix for each of 96 rows, either of them turned."""
    images = keras.layers.Input((96, 96, 3), dtype="uint8")
    x = keras.layers.Rescaling(1 / 256)(images)
    output = keras.ops.matmul(x, keras.ops.transpose(x, (0, 1, 3, 2)))
    assert count_multiply_adds(keras.Model(images, output)) == 96 * 96 * 3 * 96


def test_the_footprint_of_a_method() -> None:
    region = small_region(8)
    method = DownConv(epochs=1).fit(region, region)
    found = measure_footprint(method, region)
    assert found["parameters"] == 5189
    assert found["non_trainable"] == 0
    assert found["multiply_adds"] == 2930688
    # two divisions of five shares of two bytes, against eight chips of 10 kB
    assert (found["label_uplink_bytes"], found["pixel_label_bytes"]) == (20, 80_000)
    assert 0 < found["latency_p50_ms"] <= found["latency_p95_ms"]


@pytest.mark.parametrize(
    ("supervision", "sent"), [("division", 60), ("chip", 240), ("pixel", 240_000)]
)
def test_label_bytes_by_supervision(supervision: str, sent: int) -> None:
    """Six divisions or 24 chips with five shares of two bytes, or 24 chips of 10 kB."""
    found = label_bytes(small_region(24), supervision)
    assert found == {"label_uplink_bytes": sent, "pixel_label_bytes": 240_000}


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_latency_is_measured_on_one_core_and_the_others_given_back() -> None:
    region = small_region(4)
    method = TrainMean().fit(region, region)
    seen = []
    predict = method.predict

    def watched(ds: Any) -> Any:
        seen.append((ds.sizes["chip"], len(os.sched_getaffinity(0))))
        return predict(ds)

    method.predict = watched  # type: ignore[method-assign]
    before = os.sched_getaffinity(0)
    found = measure_latency(method, region)
    assert os.sched_getaffinity(0) == before
    assert seen == [(1, 1)] * 5
    assert np.isfinite(list(found.values())).all()


def test_latency_is_none_where_a_core_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    found = measure_latency(TrainMean(), small_region(4))
    assert found == {"latency_p50_ms": None, "latency_p95_ms": None}
