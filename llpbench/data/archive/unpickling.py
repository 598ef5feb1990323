"""Unpickling that can build dictionaries, strings, numbers and numeric arrays, and nothing else.

Two fences stand one behind the other. First the opcodes are walked without executing any: only
those that numpy arrays in dictionaries need may occur, and few of them. Then a subclass of
:class:`pickle.Unpickler` resolves the names of numpy's array, dtype and reconstruction function
to classes of this module, which accept plain numeric arrays only; numpy's own state setters are
never called with what a file says.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import ArchiveError, examples

MOST_OPCODES = 4_000
"""Ten times what a chip of 31 classes needs. More could nest tuples deeper than the C stack can
hash, or fill a dictionary with keys of one hash; a huge memo place would take gigabytes."""

_ALLOWED_TEXT = """
PROTO FRAME STOP MARK POP POP_MARK MEMOIZE BINPUT LONG_BINPUT BINGET LONG_BINGET
NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT SHORT_BINUNICODE
BINUNICODE SHORT_BINBYTES BINBYTES EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST
APPEND APPENDS EMPTY_DICT SETITEM SETITEMS GLOBAL STACK_GLOBAL REDUCE BUILD
"""
_ALLOWED = frozenset(_ALLOWED_TEXT.split())
_OPCODES = {
    opcode.code.encode("latin-1"): (opcode.name, opcode.arg.n if opcode.arg else 0)
    for opcode in pickletools.opcodes
    if opcode.name in _ALLOWED
}
_LENGTH_BYTES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}


def loads(data: bytes) -> Any:
    """Unpickle plain data and numeric numpy arrays; the size of a pickle bounds the memory used.

    Returns dictionaries, lists, tuples, strings, numbers and :class:`PickledArray`. Containers may
    share parts or hold themselves: never walk them deeper than you expect.

    Examples
    --------
    >>> loads(pickle.dumps({"chip": np.arange(3, dtype="i2")}, protocol=4))["chip"].value
    array([0, 1, 2], dtype=int16)
    >>> loads(pickle.dumps(print, protocol=4))
    Traceback (most recent call last):
        ...
    llpbench.errors.ArchiveError: it names 'builtins.print'; only numpy arrays may be in a chip
    """
    _check_opcodes(data)
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except ArchiveError:
        raise
    except Exception as error:
        raise ArchiveError(f"it is no readable pickle ({error!r:.200})") from error


def _check_opcodes(data: bytes) -> None:
    position = 0
    for _ in range(MOST_OPCODES):
        opcode = data[position : position + 1]
        if not opcode:
            raise ArchiveError("it is cut short")
        if opcode not in _OPCODES:
            raise ArchiveError(f"it holds pickle opcode {opcode!r}, which no chip needs")
        name, size = _OPCODES[opcode]
        if name == "STOP":
            return
        position = _after_argument(data, position + 1, size)
        if name == "LONG_BINPUT":
            place = int.from_bytes(data[position - 4 : position], "little")
            if place > MOST_OPCODES:
                raise ArchiveError(f"its memo has a place {place}, which no chip needs")
    raise ArchiveError(f"it holds more than {MOST_OPCODES} pickle opcodes, which no chip needs")


def _after_argument(data: bytes, position: int, size: int) -> int:
    if size == pickletools.UP_TO_NEWLINE:  # GLOBAL: module and name, a line each
        for _ in range(2):
            position = data.find(b"\n", position) + 1 or len(data)
        return position
    if size < 0:
        width = _LENGTH_BYTES[size]
        return position + width + int.from_bytes(data[position : position + width], "little")
    return position + size


class _ArrayType:
    """Stands for the name ``numpy.ndarray``, which a pickle mentions but must not change."""

    def __setstate__(self, state: object) -> None:
        raise ArchiveError("it gives numpy's array type a state, which no chip needs")


class _NumberType:
    """A numeric dtype on its way from the pickle; its state may only set the byte order."""

    def __init__(self, code: object, align: object = False, copy: object = True) -> None:
        if not isinstance(code, str) or code not in _NUMBER_CODES:
            raise ArchiveError(f"it holds an array of type {examples([code])}, not of numbers")
        self.value = np.dtype(code)

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or state[1:5] not in _PLAIN_STATES:
            raise ArchiveError("it holds an array of structured or otherwise unusual type")
        self.value = self.value.newbyteorder(state[1])


class PickledArray:
    """A numeric array from a pickle, in :attr:`value` (read-only), filled by its state."""

    def __init__(self, subtype: object, shape: object, code: object) -> None:
        if subtype is not _ArrayType:
            raise ArchiveError("it holds a subclass of arrays, which no chip needs")
        self.value: NDArray[Any] = np.empty(0)

    def __setstate__(self, state: tuple[int, tuple[int, ...], _NumberType, bool, bytes]) -> None:
        _version, shape, number_type, is_fortran, content = state
        flat = np.frombuffer(content, dtype=number_type.value)
        self.value = flat.reshape(shape, order="F" if is_fortran else "C")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _GLOBALS:
            raise ArchiveError(
                f"it names {examples([f'{module}.{name}'])}; only numpy arrays may be in a chip"
            )
        return _GLOBALS[module, name]


_NUMBER_CODES = frozenset(["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])
_PLAIN_STATES = tuple((order, None, None, None) for order in "<>|=")
_GLOBALS = {
    ("numpy", "ndarray"): _ArrayType,
    ("numpy", "dtype"): _NumberType,
    ("numpy.core.multiarray", "_reconstruct"): PickledArray,
    ("numpy._core.multiarray", "_reconstruct"): PickledArray,
}
