"""Batches for TensorFlow and PyTorch, each imported when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llpbench.data.batches import Batch, Batches
from llpbench.errors import LLPBenchError


def to_tensorflow(batches: Batches) -> Any:
    """Make a ``tf.data.Dataset``; each iteration over it is the next epoch.

    Batches are called for by number: TensorFlow's own way to run a Python generator gives memory
    back to the system after every batch, and takes three times as long.

    Returns
    -------
    tf.data.Dataset
        Of images (as stored) and targets (float32), two batches ahead; for one iteration at a time.

    Raises
    ------
    LLPBenchError
        If TensorFlow is not installed.
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise LLPBenchError(_missing("TensorFlow", "tensorflow", error)) from error
    running, types = _Running(batches), (batches.images.dtype, tf.float32)

    def take(number: Any) -> Any:
        images, targets = tf.numpy_function(running.take, [number], types)
        image, target = batches.shapes
        return tf.ensure_shape(images, (None, *image)), tf.ensure_shape(targets, (None, *target))

    return tf.data.Dataset.range(len(batches)).map(take, num_parallel_calls=1).prefetch(2)


class _Running:
    """The epoch that is being taken batch by batch."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches
        self._epoch: Iterator[Batch] = iter(())

    def take(self, number: int) -> Batch:
        """Give the next batch; the first of an epoch begins it."""
        if number == 0:
            self._epoch = iter(self._batches)
        return next(self._epoch)


def to_torch(batches: Batches) -> Any:
    """Make a ``torch.utils.data.IterableDataset`` of whole batches.

    Returns
    -------
    IterableDataset
        Of images (as stored) and targets (float32), for ``DataLoader(dataset, batch_size=None)``.

    Raises
    ------
    LLPBenchError
        If PyTorch is not installed; when iterated, if a loader has worker processes, which would
        each yield all batches (they are read in the background as it is).
    """
    try:
        import torch
        from torch.utils.data import IterableDataset, get_worker_info
    except ImportError as error:
        raise LLPBenchError(_missing("PyTorch", "torch", error)) from error

    class TorchBatches(IterableDataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return len(batches)

        def __iter__(self) -> Iterator[tuple[Any, Any]]:
            if get_worker_info() is not None:
                raise LLPBenchError("batches are read in the background: use num_workers=0")
            for images, targets in batches:
                yield torch.from_numpy(images), torch.from_numpy(targets)

    return TorchBatches()


def _missing(name: str, extra: str, error: ImportError) -> str:
    return f"batches for {name} need it ({error}); install it with: pip install 'llpbench[{extra}]'"
