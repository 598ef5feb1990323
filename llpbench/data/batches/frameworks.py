"""Batches for TensorFlow and PyTorch, each imported when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llpbench.data.batches import Batch, Batches
from llpbench.data.batches.epochs import SharedEpochs
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

    return tf.data.Dataset.range(len(batches)).map(take).prefetch(2)


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

    Each iteration over it is the next epoch. Where a loader has several worker processes, they
    yield its batches in turn, so that a seed means the same order with any number of them. Images
    that fit into memory are read now, for forked workers to share.

    Returns
    -------
    IterableDataset
        Of images (as stored) and targets (float32), for ``DataLoader(dataset, batch_size=None)``.

    Raises
    ------
    LLPBenchError
        If PyTorch is not installed; when a loader iterates that makes batches of these batches.
    """
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise LLPBenchError(_missing("PyTorch", "torch", error)) from error
    if batches.images.fit:
        _ = batches.images.kept
    return _share_with_torch(batches, SharedEpochs())


def _share_with_torch(batches: Batches, epochs: SharedEpochs) -> Any:
    """Make the dataset, also in a spawned worker, which is sent these two."""
    import torch
    from torch.utils.data import IterableDataset, get_worker_info
    from torch.utils.data._utils.collate import default_collate_fn_map

    default_collate_fn_map[_TorchBatch] = _refuse_batching

    class TorchBatches(IterableDataset):  # type: ignore[misc]
        def __init__(self) -> None:
            self._iterations = 0

        def __reduce__(self) -> tuple[Any, ...]:
            return _share_with_torch, (batches, epochs)

        def __len__(self) -> int:
            return len(batches)

        def __iter__(self) -> Iterator[_TorchBatch]:
            info = get_worker_info()
            if info is None:
                return self._take(epochs.begin(), 0, 1)
            self._iterations += 1
            number = epochs.join(hash((info.seed - info.id, self._iterations)))
            return self._take(number, info.id, info.num_workers)

        def _take(self, number: int, worker: int, workers: int) -> Iterator[_TorchBatch]:
            for images, items in batches.epoch(number, worker, workers):
                targets = batches.targets[items]
                yield _TorchBatch((torch.from_numpy(images), torch.from_numpy(targets)))

    return TorchBatches()


class _TorchBatch(tuple[Any, ...]):
    """Images and targets, of a type of their own by which loaders that batch them are found."""


def _refuse_batching(_batches: Any, **_options: Any) -> Any:
    raise LLPBenchError(
        "the dataset yields whole batches, but the DataLoader has a batch_size: use "
        "DataLoader(dataset, batch_size=None), and ds.llp.batches(SIZE) for batches of that size"
    )


def _missing(name: str, extra: str, error: ImportError) -> str:
    return f"batches for {name} need it ({error}); install it with: pip install 'llpbench[{extra}]'"
