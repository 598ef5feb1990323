"""TensorFlow and Keras, imported when a method needs them and quiet about it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from llpbench.errors import MethodError


def load_backend() -> tuple[ModuleType, ModuleType]:
    """Import TensorFlow and Keras.

    Returns
    -------
    tensorflow, keras : module

    Raises
    ------
    MethodError
        If they are not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    try:
        with _quiet():
            import keras
            import tensorflow as tf
    except ImportError as error:
        raise MethodError(
            f"this method needs TensorFlow and Keras ({error}); "
            "install them with: pip install 'llpbench[tensorflow]'"
        ) from error
    return tf, keras


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what TensorFlow's C++ side writes while it loads, unless loading fails."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            yield
        except BaseException:
            notes.seek(0)
            os.write(kept, notes.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
