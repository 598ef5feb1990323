"""TensorFlow and Keras, imported when they are first used and quiet about it.

Methods write ``from llpbench_baselines.backend import keras, tf``, which costs nothing: a method
can be listed and described where neither is installed.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

from llpbench.errors import LLPBenchError, MethodError


class _Lazy:
    """A module that is imported when something of it is asked for."""

    def __init__(self, position: int) -> None:
        self._position = position

    def __getattr__(self, name: str) -> Any:
        return getattr(load_backend()[self._position], name)


tf: Any = _Lazy(0)
keras: Any = _Lazy(1)


@cache
def load_backend() -> tuple[ModuleType, ModuleType]:
    """Import TensorFlow and Keras.

    Raises
    ------
    MethodError
        If they are not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    try:
        with quiet():
            import keras
            import tensorflow

            tensorflow.constant(0, "float16")  # the first of a process makes oneDNN complain
    except ImportError as error:
        raise MethodError(
            f"this method needs TensorFlow and Keras ({error}); "
            "install them with: pip install 'llpbench[tensorflow]'"
        ) from error
    return tensorflow, keras


def set_seed(seed: int, *, deterministic: bool = False) -> None:
    """Seed all random numbers of TensorFlow and Keras.

    Parameters
    ----------
    deterministic : bool
        Whether the same seed gives the same bits on one machine, at some cost of speed. Once
        asked for, it holds for the whole process.
    """
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(seed)


def model_graph(model: Any, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Compile a function of what a model takes, once for batches of any size.

    Parameters
    ----------
    model : keras.Model
        Of images (n, 96, 96, band) of any type, or of cells (n, 24, 24, feature).
    function : callable
        Of such a tensor.
    """
    return compiled(function, model.input.shape[1:], model.input.dtype)


def compiled(function: Callable[[Any], Any], shape: Sequence[int], dtype: str) -> Any:
    """Compile a function of one array, when it is first called.

    What is called is a graph of a fixed signature: TensorFlow counts how often functions are
    traced, and complains of those that are made anew for each of several trainings. ``shape``
    leaves out the first dimension, which may have any length.
    """

    @cache
    def graph() -> Any:
        signature = [tf.TensorSpec([None, *shape], dtype)]
        return tf.function(function, signature, autograph=False).get_concrete_function()

    return lambda array: graph()(tf.convert_to_tensor(array))


def raised(tensor: Any) -> Any:
    """Half precision as single, any other tensor as it is: numpy takes ten times as long."""
    return tf.cast(tensor, tf.float32) if tensor.dtype == tf.float16 else tensor


@contextmanager
def quiet() -> Iterator[None]:
    """Keep back what TensorFlow's C++ side writes to stderr, unless what is done fails."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            yield
        except LLPBenchError:
            raise
        except BaseException:
            notes.seek(0)
            os.write(stderr, notes.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
