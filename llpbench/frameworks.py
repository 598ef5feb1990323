"""Batches for TensorFlow and PyTorch, each imported when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llpbench.batches import Batches
from llpbench.errors import LLPBenchError


def to_tensorflow(batches: Batches) -> Any:
    """Make a ``tf.data.Dataset``; each iteration over it is the next epoch.

    Parameters
    ----------
    batches : Batches

    Returns
    -------
    tf.data.Dataset
        Of images (uint8) and targets (float32), two batches ahead.

    Raises
    ------
    LLPBenchError
        If TensorFlow is not installed.
    """
    try:
        import tensorflow as tf
    except ImportError as error:
        raise LLPBenchError(_missing("TensorFlow", "tensorflow", error)) from error
    image, target = batches.shapes
    signature = (
        tf.TensorSpec((None, *image), tf.uint8),
        tf.TensorSpec((None, *target), tf.float32),
    )
    made = tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=signature)
    return made.apply(tf.data.experimental.assert_cardinality(len(batches))).prefetch(2)


def to_torch(batches: Batches) -> Any:
    """Make a ``torch.utils.data.IterableDataset`` of whole batches.

    Parameters
    ----------
    batches : Batches

    Returns
    -------
    IterableDataset
        Of images (uint8) and targets (float32), for ``DataLoader(dataset, batch_size=None)``.

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
