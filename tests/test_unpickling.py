"""Unpickling builds plain data and numeric arrays, and nothing else happens."""

from __future__ import annotations

import builtins
import importlib
import os
import pickle
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import Payload, assert_sentence
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from llpbench.data.archive.unpickling import MOST_OPCODES, PickledArray, _ArrayType, loads
from llpbench.errors import ArchiveError

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
NUMPY_DTYPE = b"\x8c\x05numpy\x8c\x05dtype\x93"
NUMPY_NDARRAY = b"\x8c\x05numpy\x8c\x07ndarray\x93"
NUMPY_RECONSTRUCT = b"\x8c\x15numpy.core.multiarray\x8c\x0c_reconstruct\x93"


def refuse(data: bytes, match: str | None = None) -> None:
    with pytest.raises(ArchiveError, match=match) as caught:
        loads(data)
    assert_sentence(caught.value)


def plain(value: Any) -> Any:
    """The same with arrays in place of :class:`PickledArray`."""
    if isinstance(value, PickledArray):
        return value.value
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(plain(item) for item in value)
    return value


def assert_same(found: Any, expected: Any) -> None:
    assert type(found) is type(expected)
    if isinstance(expected, np.ndarray):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    elif isinstance(expected, dict):
        assert list(found) == list(expected)
        for key, value in expected.items():
            assert_same(found[key], value)
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        assert found == expected or (found != found and expected != expected)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("function", "argument"),
    [
        (os.system, "touch {}"),
        (builtins.eval, "open({!r}, 'w').close()"),
        (builtins.exec, "open({!r}, 'w').close()"),
        (subprocess.call, ["touch", "{}"]),
        (Path.touch, Path("{}")),
    ],
)
def test_a_call_is_refused_and_not_made(
    tmp_path: Path, function: Any, argument: Any, protocol: int
) -> None:
    canary = tmp_path / "canary"
    if isinstance(argument, list):
        argument = [part.format(canary) for part in argument]
    elif isinstance(argument, Path):
        argument = canary
    else:
        argument = argument.format(str(canary))
    attack = pickle.dumps({"chip": Payload(function, argument)}, protocol)

    pickle.loads(attack)  # the attack works on a careless reader
    assert canary.exists()
    canary.unlink()

    refuse(attack)
    assert not canary.exists()


@pytest.mark.parametrize(
    "name",
    [
        "builtins.getattr",
        "builtins.object",
        "builtins.__import__",
        "builtins.bytearray",
        "collections.OrderedDict",
        "copyreg._reconstructor",
        "importlib.import_module",
        "numpy.load",
        "numpy.memmap",
        "numpy.fromfile",
        "numpy.matrix",
        "numpy.recarray",
        "numpy._core.multiarray.scalar",
        "numpy._core.multiarray._reconstruct.__globals__",
        "numpy._core.numeric._frombuffer",
        "numpy.ndarray.tofile",
        "numpy.dtype.newbyteorder",
        "codecs.encode",
        "_codecs.encode",
        "pickle.loads",
        "no_such_module.function",
    ],
)
def test_any_other_name_is_refused_by_both_opcodes(name: str) -> None:
    module, _dot, attribute = name.rpartition(".")
    by_line = f"c{module}\n{attribute}\n.".encode()
    pushed = b"".join(b"\x8c" + bytes([len(x)]) + x.encode() for x in (module, attribute))
    loaded_before = "no_such_module" in sys.modules
    refuse(by_line, "only numpy arrays")
    refuse(b"\x80\x04" + pushed + b"\x93.", "only numpy arrays")
    assert ("no_such_module" in sys.modules) == loaded_before


class Subclass(np.ndarray):
    """A harmless subclass; what it stands for is not."""


@pytest.mark.parametrize(
    "array",
    [
        np.array([{"a": 1}, None], dtype=object),
        np.array([print], dtype=object),
        np.zeros(2, dtype=[("a", "i2"), ("b", "f4")]),
        np.zeros(2, dtype="M8[s]"),
        np.zeros(2, dtype="V4"),
        np.array(["text"]),
        np.array([b"bytes"]),
        np.zeros(2, dtype=np.dtypes.StringDType()),
        np.zeros(2, dtype="c16"),
        np.zeros(2).view(np.recarray),
        np.ma.masked_array([1, 2], mask=[True, False]),
        np.zeros(2).view(Subclass),
        np.float64(1.5),
        np.dtype(("i2", (3,))),
    ],
    ids=lambda array: f"{type(array).__name__}-{getattr(array, 'dtype', array)}"[:40],
)
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_arrays_of_anything_but_numbers_are_refused(array: Any, protocol: int) -> None:
    refuse(pickle.dumps({"chip": array}, protocol))


def test_a_dtype_state_may_set_the_byte_order_only() -> None:
    start = b"\x80\x04" + NUMPY_DTYPE + b"\x8c\x02i2\x89\x88\x87R"
    refuse(start + b"(K\x03\x8c\x01<N\x8c\x01aNtb.", "unusual type")
    refuse(start + b"(K\x03\x8c\x01<\x8c\x01ONNtb.", "unusual type")
    refuse(start + b"Nb.", "unusual type")


def test_an_array_without_a_whole_state_is_refused() -> None:
    start = b"\x80\x04" + NUMPY_RECONSTRUCT + NUMPY_NDARRAY + b"K\x00\x85C\x01b\x87R"
    number = NUMPY_DTYPE + b"\x8c\x02i2\x89\x88\x87R"
    assert plain(loads(start + b".")).size == 0
    refuse(start + b"Nb.")
    refuse(start + b"(K\x01K\x02\x85" + number + b"\x89C\x03abctb.")  # 3 bytes for 2 int16
    refuse(start + b"(K\x01J\xff\xff\xff\x7f\x85" + number + b"\x89C\x04abcdtb.")
    refuse(start + b"(K\x01K\x02\x85" + NUMPY_NDARRAY + b"\x89C\x04abcdtb.")
    refuse(start + b"(K\x01K\x02\x85Nhtb.")
    refuse(b"\x80\x04" + NUMPY_RECONSTRUCT + NUMPY_DTYPE + b"K\x00\x85C\x01b\x87R.", "subclass")


def test_a_pickle_cannot_change_the_classes_of_the_reader() -> None:
    before = dict(vars(_ArrayType))
    refuse(b"\x80\x04" + NUMPY_NDARRAY + b"N}\x8c\x06poison\x8c\x01xs\x86b.", "state")
    refuse(b"\x80\x04" + NUMPY_NDARRAY + b")R}\x8c\x06poison\x8c\x01xsb.", "state")
    refuse(b"\x80\x04" + NUMPY_DTYPE + b"N}\x8c\x06poison\x8c\x01xs\x86b.")
    refuse(b"\x80\x04" + NUMPY_RECONSTRUCT + b"N}\x8c\x06poison\x8c\x01xs\x86b.")
    assert dict(vars(_ArrayType)) == before


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x80\x04Nr\xff\xff\xff\x7f.", id="memo-place"),
        pytest.param(b"\x80\x04N" + b"\x94" * 2_000_000 + b".", id="memoize"),
        pytest.param(b"\x80\x04}N" + b"\x85" * 1_000_000 + b"Ns.", id="hash-of-deep-tuple"),
        pytest.param(b"\x80\x04" + b"]" * 500_000 + b"a" * 499_999 + b".", id="deep-list"),
        pytest.param(b"\x80\x04\x95" + b"\xff" * 7 + b"\x7fN.", id="frame"),
        pytest.param(b"\x80\x04B\xff\xff\xff\x7fabc.", id="bytes"),
        pytest.param(b"\x80\x04X\xff\xff\xff\xffabc.", id="text"),
        pytest.param(
            b"\x80\x04}("
            + b"".join(
                b"\x8a\x0a" + (number * (2**61 - 1)).to_bytes(10, "little") + b"N"
                for number in range(70_000)
            )
            + b"u.",
            id="keys-of-one-hash",
        ),
    ],
)
@pytest.mark.timeout(30)  # unfenced, they take minutes, gigabytes or the process
def test_bombs_are_refused_in_no_time_and_little_memory(data: bytes) -> None:
    tracemalloc.start()
    refuse(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_shared_parts_stay_shared() -> None:
    laugh: Any = []
    for _ in range(40):  # 2**40 leaves, were they copied
        laugh = [laugh, laugh]
    found = loads(pickle.dumps(laugh, 4))
    assert found[0] is found[1]
    assert found[0][0] is found[1][1]


def test_shared_parts_are_not_written_out_in_messages() -> None:
    doubled = b"".join(b"h%ch%c\x86\x94" % (place, place) for place in range(40))
    refuse(b"\x80\x04)\x94" + doubled + NUMPY_DTYPE + b"h%c\x85R." % 40, "of type")


def test_a_container_that_holds_itself_is_only_data() -> None:
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    found = loads(pickle.dumps(loop, 4))
    assert found["loop"] is found


def test_a_long_name_is_shortened() -> None:
    refuse(b"c" + b"m" * 100_000 + b"\nname\n.", r"'m+\.\.\.")
    refuse(b"\x80\x04\x8c\x03a\nb\x8c\x02\r\n\x93.", "only numpy arrays")


def test_every_truncation_is_refused() -> None:
    chip = {"chip": np.arange(12, dtype="i2").reshape(2, 3, 2), "chip_id": "0f", "x": [1.5, None]}
    data = pickle.dumps(chip, 4)
    for length in range(len(data)):
        refuse(data[:length])
    assert_same(plain(loads(data)), chip)


def test_few_opcodes_suffice_for_a_chip() -> None:
    shares = {str(number): 1 / 31 for number in range(31)}
    chip = {"a": dict(shares), "b": dict(shares), "c": dict(shares), "chip": np.zeros((9, 9), "i2")}
    assert len(loads(pickle.dumps(chip, 4))) == 4
    assert len(loads(b"\x80\x04](" + b"N" * (MOST_OPCODES - 6) + b"e.")) == MOST_OPCODES - 6
    refuse(b"\x80\x04](" + b"N" * MOST_OPCODES + b"e.", "more than")


def test_golden_chips_read_as_plain_pickle_reads_them(shared: Path) -> None:
    files = sorted((shared / "golden/pickles").glob("*.pkl"))
    assert len(files) == 13
    for file in files:
        data = file.read_bytes()
        assert_same(plain(loads(data)), pickle.loads(data))


numbers = st.sampled_from(["?", "i1", "<i2", ">i2", "i4", "i8", "u1", "u2", "u4", "u8"]) | (
    st.sampled_from(["f2", "<f4", ">f4", "f8"])
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=300)
    | st.binary(max_size=20)
    | arrays.arrays(numbers.map(np.dtype), arrays.array_shapes(min_dims=0, min_side=0, max_side=4))
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=100)
@given(values, st.sampled_from([3, 4]), st.booleans())
def test_plain_data_comes_back_as_it_was(value: Any, protocol: int, fortran: bool) -> None:
    if fortran and isinstance(value, np.ndarray):
        value = np.asfortranarray(value)
    assert_same(plain(loads(pickle.dumps(value, protocol))), value)


def test_arrays_of_older_numpy_are_read() -> None:
    array = np.arange(6, dtype="i2").reshape(2, 3)
    data = pickle.dumps(array, 4)
    module = importlib.import_module("numpy._core.multiarray").__name__.encode()
    older = data.replace(b"\x8c" + bytes([len(module)]) + module, b"\x8c\x15numpy.core.multiarray")
    older = older[:2] + older[11:]  # without the frame, whose length is another
    assert older != data
    assert_same(plain(loads(older)), array)
