"""CPU milliseconds a chip of training and predicting, beside naive Keras and matrix products.

Usage: python benchmarks/training.py [METHOD...] [--threads 1] [--chips 512]

For each method, on made chips, batch 32, 5 classes: a training step as ``fit`` does it, a
prediction as ``predict`` does it (shares and segmentation), the same network through Keras' own
``fit`` and ``predict`` (``downconv`` with Keras' convolution and dropout), and how long the
network's multiply-adds alone would take as one large matrix product; last, the wall seconds of an
epoch on those chips. All in one process, so that the ratios hold on a busy machine; CPU time is
that of all threads, the best of several rounds.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

METHODS = ("downconv", "qkm", "gmm", "convregr", "customunet", "resnet18unet", "vgg16unet")
CATEGORIES = 5
BATCH = 32


def main() -> None:
    """Measure and print one line a method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("methods", nargs="*", default=METHODS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--chips", type=int, default=512, help="64 for the large networks")
    chosen = parser.parse_args()
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = str(chosen.threads)
    os.environ["OPENBLAS_NUM_THREADS"] = str(chosen.threads)
    columns = ("step", "keras", "ratio", "predict", "keras", "ratio", "products", "wall s")
    print(f"CPU ms a chip, batch {BATCH}, {CATEGORIES} classes, {chosen.threads} thread(s)")
    print(f"{'method':14}" + "".join(f"{column:>10}" for column in columns))
    with tempfile.TemporaryDirectory() as folder:
        region = made_region(chosen.chips, folder)
        for name in chosen.methods:
            figures = measure(name, region, chosen.chips)
            print(f"{name:14}" + "".join(f"{figure:10.3f}" for figure in figures), flush=True)


def measure(name: str, region: Any, chips: int) -> list[float]:
    """Time one method, on two batches if it has more than 100 million multiply-adds.

    CPU milliseconds a chip of a training step, Keras' step, their ratio; of a prediction, Keras'
    prediction, their ratio; of the products of one prediction. Then the wall seconds of an epoch.
    """
    import numpy as np

    from llpbench.data.batches.images import load_images
    from llpbench.methods.registry import make_method
    from llpbench_baselines.losses import squared_shares

    method: Any = make_method(name, epochs=4, learning_rate=1e-4)
    method._build(np.array([f"category {number}" for number in range(CATEGORIES)]))
    multiply_adds = method.multiply_adds()
    chips = 2 * BATCH if multiply_adds > 1e8 else chips
    train = region.isel(chip=slice(chips)).llp.restrict("division")
    images, targets = load_images(train), train["target"].to_numpy()
    weights = np.full(CATEGORIES, 0.2, dtype=np.float32)
    EpochTimer.begun = []
    method.fit(train, train.isel(chip=slice(1)), progress=EpochTimer)
    seconds, wall = np.diff(EpochTimer.begun, axis=0).min(axis=0)
    step = 1000 * seconds / chips
    predict = best(lambda: [method._read(images[i : i + BATCH]) for i in starts(chips)], chips)
    model = plain_downconv() if name == "downconv" else method.model_
    model.compile(
        "adam", lambda truth, output: squared_shares(output, truth, weights), jit_compile=False
    )
    keras_step = best(
        lambda: model.fit(images, targets, batch_size=BATCH, epochs=1, verbose=0), chips
    )
    keras_predict = best(lambda: model.predict(images, batch_size=BATCH, verbose=0), chips)
    products = multiply_adds * seconds_a_multiply_add() * 1000
    return [
        *(step, keras_step, step / keras_step),
        *(predict, keras_predict, predict / keras_predict, products),
        wall,
    ]


def made_region(chips: int, folder: str) -> Any:
    """Synthetic chips with a target."""
    import numpy as np

    import llpbench

    os.environ["LLPBENCH_CACHE"] = folder
    llpbench.synthesize("made", "esaworldcover", chips=chips + chips // 8, seed=0)
    ds = llpbench.open_dataset(Path(folder) / "made").llp.group()
    return ds.isel(chip=np.isfinite(ds["target"].to_numpy()).all(axis=1))


def plain_downconv() -> Any:
    """``downconv`` as one would first write it."""
    from llpbench_baselines.backend import keras

    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((96, 96, 3), dtype="uint8"),
            layers.Rescaling(1 / 256),
            layers.Conv2D(96, 4, strides=4, activation="relu"),
            layers.Dropout(0.1),
            layers.Conv2D(CATEGORIES, 1, activation="softmax"),
        ]
    )


def starts(chips: int) -> range:
    """First chips of batches."""
    return range(0, chips, BATCH)


class EpochTimer:
    """Stands where a progress bar would, and notes CPU and wall time when an epoch begins."""

    begun: ClassVar[list[tuple[float, float]]] = []

    def __init__(self, **_options: Any) -> None:
        self.epoch = ""

    def update(self, _chips: int) -> None:
        """Show nothing."""

    def set_postfix_str(self, text: str, refresh: bool) -> None:
        """Note the first batch of an epoch, whose number the text begins with."""
        epoch, _slash, _rest = text.partition("/")
        if epoch != self.epoch:
            self.epoch = epoch
            self.begun.append((time.process_time(), time.perf_counter()))

    def close(self) -> None:
        """Show nothing."""


def best(run: Callable[[], Any], chips: int, rounds: int = 3) -> float:
    """CPU milliseconds a chip in the best of some rounds, after one to warm up."""
    run()
    taken = []
    for _round in range(rounds):
        start = time.process_time()
        run()
        taken.append(time.process_time() - start)
    return 1000 * min(taken) / chips


def seconds_a_multiply_add() -> float:
    """CPU seconds of one multiply-add in a large single-precision matrix product."""
    import numpy as np

    matrix = np.ones((1024, 1024), dtype=np.float32)
    return best(lambda: matrix @ matrix, 1) / 1000 / 1024**3


if __name__ == "__main__":
    main()
