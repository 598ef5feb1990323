"""Exported files of strangers, cards that cannot be true, and runtimes that fail."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flying
import numpy as np
import pytest
from flying import card_of, forbid, make_onnx, refused, write_litert

import llpbench
from llpbench.cli import main

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture(scope="module")
def card(store: Path) -> dict[str, Any]:
    return card_of(llpbench.open_dataset(store).llp.group())


def _external(card: dict[str, Any]) -> bytes:
    from onnx import TensorProto

    model = make_onnx(card)
    kernel = model.graph.initializer[0]
    kernel.ClearField("raw_data")
    kernel.data_location = TensorProto.EXTERNAL
    kernel.external_data.add(key="location", value="../secret")
    return bytes(model.SerializeToString())


def _custom(card: dict[str, Any]) -> bytes:
    model = make_onnx(card)
    model.graph.node[3].domain = "nobody.knows"
    model.opset_import.add(domain="nobody.knows", version=1)
    return bytes(model.SerializeToString())


def _cut(card: dict[str, Any]) -> bytes:
    """The first third of a graph, with a whole card."""
    content = flying.LITERT.read_bytes()
    place = Path(os.environ["LLPBENCH_CACHE"]).with_suffix(".cut")
    write_litert(place, card)
    return content[:700] + place.read_bytes()[len(content) :]


def _crowded(card: dict[str, Any]) -> bytes:
    """A zip whose list has 2 MB, of which its end says that it names one file."""
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"x"
    listed = entry * 45_000
    graph = flying.LITERT.read_bytes()
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(listed), len(graph), 0)
    return graph + listed + end


def _onnx(scale: float) -> Callable[[dict[str, Any]], bytes]:
    return lambda card: bytes(make_onnx(card, scale).SerializeToString())


STRANGE: dict[str, tuple[Callable[[dict[str, Any]], bytes], str]] = {
    "garbage": (lambda card: b"\x08\x01garbage" * 99, "is neither LiteRT"),
    "empty": (lambda card: b"", "is neither LiteRT"),
    "no card": (lambda card: flying.LITERT.read_bytes(), "does not say what it takes and gives"),
    "crowded zip": (_crowded, "the card of .* is damaged"),
    "cut": (_cut, "fails when it is opened"),
    "external data": (_external, "keeps its numbers in other files"),
    "unknown operator": (_custom, "fails when it is opened: .*nobody.knows"),
    "no numbers": (_onnx(float("nan")), "fails when chip 1 is predicted: shares .* sum nan"),
    "no shares": (_onnx(2), "from 0 to 1 that sum to 1, found .* with the sum 2"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_files_of_strangers_are_refused_in_a_sentence(
    name: str,
    store: Path,
    card: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make, expected = STRANGE[name]
    file = tmp_path / "file"
    file.write_bytes(make(card))
    said = refused(capsys, file, "--dataset", store, "-o", tmp_path / "run")
    assert re.search(expected, said), said
    assert not list(tmp_path.glob("*run*"))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"settings": {"note": "x" * 2001}}, "settings.note"),
        ({"licence": "\u202e"}, "licence"),
        ({"settings": {f"n{i}": "x" * 1999 for i in range(140)}}, "more than 262144 bytes"),
        ({"trained_on": "../../etc"}, "is no name"),
        ({"grid": 7}, "a divisor of 96"),
        ({"multiply_adds": 10**400}, "multiply_adds"),
        ({"settings": {"epochs": 10**400}}, "settings.epochs"),
        ({"shape": [96, 96, 4]}, "of these bands"),
        ({"surprise": 1}, "surprise"),
        ({"file_format": "onnx"}, "says onnx, but it is litert"),
        ({"classes": ["a", "b", "c", "d", "e"]}, "predicts the classes 'a', 'b', 'c', ..."),
        ({"bands": ["red", "green", "nir"]}, "takes the bands 'red', 'green', 'nir'"),
        ({"coding": {"scale": 2.0}}, "takes the coding"),
        ({"grid": 48}, "its card says that it gives .*48.*but it gives .*24"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_cards_that_cannot_be_true_are_refused(
    changed: dict[str, Any],
    expected: str,
    store: Path,
    card: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = write_litert(tmp_path / "file", {**card, **changed})
    said = refused(capsys, file, "--dataset", store, "-o", tmp_path / "run")
    assert re.search(expected, said), said


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("os.abort()", "its runtime crashed"),
        ("raise ModuleNotFoundError(f'No module named {name!r}')", "pip install ai-edge-litert"),
        ("os.kill(os.getpid(), 14)", "takes more than 60 seconds"),
    ],
    ids=["crash", "not installed", "too long"],
)
def test_a_runtime_that_fails_does_not_take_the_command_with_it(
    by: str,
    expected: str,
    store: Path,
    card: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PYTHONPATH", forbid(tmp_path, "ai_edge_litert", by=by))
    file = write_litert(tmp_path / "file", card)
    assert expected in refused(capsys, file, "--dataset", store, "-o", tmp_path / "run")


def test_an_interrupt_ends_both_processes_and_leaves_nothing(
    store: Path,
    card: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ctrl-C while the child is at work, which says so by a file with its id."""
    said = tmp_path / "child"
    by = f"open({str(said)!r}, 'a').write(f'{{os.getpid()}} '); time.sleep(60)"
    monkeypatch.setenv("PYTHONPATH", forbid(tmp_path, "ai_edge_litert", by=by))
    file = write_litert(tmp_path / "file", card)

    def press() -> None:
        while not (said.exists() and said.read_text().endswith(" ")):
            time.sleep(0.01)
        for process in (int(said.read_text()), os.getpid()):
            os.kill(process, signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    with pytest.raises(SystemExit) as left:
        main(["run-exported", str(file), "--dataset", str(store), "-o", str(tmp_path / "run")])
    assert left.value.code == 130
    assert capsys.readouterr().err.strip() == "llpbench: interrupted"
    assert not list(tmp_path.glob("*run*"))
    with pytest.raises(ProcessLookupError):
        os.kill(int(said.read_text()), 0)


@pytest.mark.full
def test_a_damaged_graph_is_refused_in_a_sentence_or_is_still_one(
    store: Path, card: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever two bytes become, in a file of LiteRT and in one of ONNX."""
    rng = np.random.default_rng(0)
    graph = flying.LITERT.stat().st_size
    made = [(write_litert(tmp_path / "file", card).read_bytes(), graph), (_onnx(1)(card), 600)]
    for number in range(200):
        whole, size = made[number % 2]
        content = bytearray(whole)
        for place in rng.integers(0, size, 2):
            content[place] = rng.integers(0, 256)
        (tmp_path / "file").write_bytes(content)
        out = tmp_path / f"run{number}"
        command = ["run-exported", tmp_path / "file", "--dataset", store, "-o", out]
        with contextlib.suppress(SystemExit):
            main(list(map(str, command)))
            raise SystemExit
        assert capsys.readouterr().err.count("\n") == (0 if out.exists() else 1)
