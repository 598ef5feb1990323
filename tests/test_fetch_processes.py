"""Several processes, and processes that are killed: one download, and no byte fetched twice."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
import requests
from fetching import NAME, PAYLOAD, RECORD, SIZE, part_of
from zenodo_server import ZenodoServer

from llpbench.data.fetch import Archive

FETCH = f"""
import signal
import sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in background
from llpbench.data.fetch import Archive
print("ready", flush=True)
print(Archive({RECORD}, Path(sys.argv[1])).fetch(), flush=True)
"""


def start(cache: Path, stderr: IO[str] | int = subprocess.PIPE) -> subprocess.Popen[str]:
    """Begin a download in a process of its own."""
    command = [sys.executable, "-P", "-c", FETCH, str(cache)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=stderr)


@pytest.fixture
def slow(zenodo: ZenodoServer) -> Iterator[ZenodoServer]:
    """A server that takes about half a second for the file, in a hundred pieces."""
    zenodo.publish(RECORD, NAME, PAYLOAD)
    zenodo.pause, zenodo.chunk = 0.005, SIZE // 100
    return zenodo


def test_several_processes_share_one_download(slow: ZenodoServer, tmp_path: Path) -> None:
    slow.pause = 0.2  # until the others are seen to wait
    warnings = [tmp_path / f"warnings-{number}" for number in range(3)]
    running = []
    for path in warnings:
        with path.open("w") as stderr:
            running.append(start(tmp_path / "cache", stderr))
    while sum("waiting for it" in path.read_text() for path in warnings) < 2:
        assert all(process.poll() is None for process in running)
        time.sleep(0.01)
    slow.pause = 0
    paths = {Path(process.communicate(timeout=60)[0].split()[-1]) for process in running}
    assert [process.returncode for process in running] == [0, 0, 0]
    assert {path.read_bytes() for path in paths} == {PAYLOAD}
    assert len(paths) == len(slow.asked("file")) == 1


def left_behind(cache: Path) -> int:
    """Bytes on disk, each of which must be the right one at any time."""
    for path in (part_of(cache).with_name(NAME), part_of(cache)):
        if path.exists():
            content = path.read_bytes()
            assert PAYLOAD.startswith(content)
            return len(content)
    return 0


def kill_at_random(cache: Path, moment: random.Random, reach: int) -> int:
    """Kill a download within ``reach`` more bytes than it has; return the bytes it leaves."""
    aim = left_behind(cache) + moment.randrange(reach)
    with start(cache) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        while left_behind(cache) < min(aim, SIZE) and process.poll() is None:
            time.sleep(0.001)
        time.sleep(moment.uniform(0, 0.01))
        process.kill()
    return left_behind(cache)


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.full)])
def test_kill_at_random_moments_then_a_clean_finish(
    slow: ZenodoServer, tmp_path: Path, kills: int
) -> None:
    moment = random.Random(kills)
    left = [kill_at_random(tmp_path, moment, reach=2 * SIZE // kills) for _ in range(kills)]
    assert left == sorted(left)
    assert any(0 < size < SIZE for size in left)
    archive = Archive(RECORD, tmp_path).fetch()
    assert archive.read_bytes() == PAYLOAD
    # Each request continues at what the kills before it had left on disk.
    starts = [request.start for request in slow.asked("file")]
    assert set(starts) <= {0, *left}
    assert starts == sorted(starts)
    assert sorted(path.name for path in archive.parent.iterdir()) == [NAME, f"{NAME}.stamp.json"]


def test_a_kill_while_pooch_checks_costs_no_byte(zenodo: ZenodoServer, tmp_path: Path) -> None:
    zenodo.publish(RECORD, NAME, PAYLOAD)
    program = "import os, pooch; pooch.hashes.file_hash = lambda *_, **__: os.kill(os.getpid(), 9)"
    command = [sys.executable, "-P", "-c", program + FETCH, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGKILL, "ready\n", "")
    assert part_of(tmp_path).read_bytes() == PAYLOAD
    assert len(list(part_of(tmp_path).parent.iterdir())) == 2  # and pooch's name for it
    archive = Archive(RECORD, tmp_path).fetch()
    assert len(zenodo.asked("file")) == 1
    assert sorted(path.name for path in archive.parent.iterdir()) == [NAME, f"{NAME}.stamp.json"]
    assert archive.stat().st_nlink == 1


def test_a_kill_right_after_the_stamp_leaves_nothing_else(
    zenodo: ZenodoServer, tmp_path: Path
) -> None:
    zenodo.publish(RECORD, NAME, PAYLOAD)
    program = """
import os, pathlib
rename = pathlib.Path.replace
def and_die(part, path):
    rename(part, path)
    path.name.endswith(".stamp.json") and os.kill(os.getpid(), 9)
pathlib.Path.replace = and_die
"""
    command = [sys.executable, "-P", "-c", program + FETCH, str(tmp_path)]
    assert subprocess.run(command, capture_output=True).returncode == -signal.SIGKILL
    archive = Archive(RECORD, tmp_path).fetch()
    assert len(zenodo.asked("file")) == 1
    assert sorted(path.name for path in archive.parent.iterdir()) == [NAME, f"{NAME}.stamp.json"]


def test_an_interrupt_keeps_what_arrived(slow: ZenodoServer, tmp_path: Path) -> None:
    slow.pause = 0.05
    with start(tmp_path) as process:
        while not part_of(tmp_path).exists() or not part_of(tmp_path).stat().st_size:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert "KeyboardInterrupt" in process.stderr.read()
    assert process.returncode != 0
    assert [path.name for path in part_of(tmp_path).parent.iterdir()] == [part_of(tmp_path).name]
    left = part_of(tmp_path).stat().st_size
    slow.pause = 0
    assert Archive(RECORD, tmp_path).fetch().read_bytes() == PAYLOAD
    assert [request.start for request in slow.asked("file")] == [0, left]


def test_the_stand_in_runs_as_a_process(
    zenodo: ZenodoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "published" / str(RECORD)
    folder.mkdir(parents=True)
    (folder / NAME).write_bytes(PAYLOAD)
    script = Path(__file__).with_name("zenodo_server.py")
    command = [sys.executable, str(script), str(folder.parent), "--shape", "old"]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, env=os.environ) as process:
        try:
            assert process.stdout is not None
            assert re.fullmatch(rf"http://\S+/records/{RECORD} {NAME}\n", process.stdout.readline())
            url = process.stdout.readline().strip()
            record = requests.get(f"{url}/api/records/{RECORD}", timeout=10).json()
            assert record["files"][0]["filename"] == NAME
            monkeypatch.setenv("LLPBENCH_ZENODO_URL", url)
            archive = Archive(RECORD, tmp_path / "cache").fetch()
            assert archive.read_bytes() == PAYLOAD
        finally:
            process.terminate()
