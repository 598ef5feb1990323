"""A private Postgres and servers of challenges as processes, for tests."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from regions import make_region, write_region

import llpbench
from llpbench.board.truth import make_truth, scored_divisions, write_truth
from llpbench.challenge.folder import ChallengeFolder
from llpbench.challenge.halves import draw_halves
from llpbench.challenge.server.service import Service

_PROGRAMS = ("/usr/lib/postgresql/*/bin", "/usr/local/bin", "/usr/bin")
_SETTINGS = ("-c", "fsync=off", "-c", "listen_addresses=", "-c", "max_connections=200")


def _program(name: str) -> str | None:
    for folder in _PROGRAMS:
        for path in sorted(Path("/").glob(f"{folder[1:]}/{name}"), reverse=True):
            return str(path)
    return shutil.which(name)


@contextmanager
def postgres() -> Iterator[str]:
    """A cluster of its own that listens on a socket in its folder; the URL of a database.

    It refuses to run as root, so that there it runs as nobody.
    """
    initdb, server = _program("initdb"), _program("postgres")
    if initdb is None or server is None:
        pytest.skip("no Postgres here: `apt-get install postgresql`")
    as_user: list[str] = []
    folder = Path(tempfile.mkdtemp(prefix="llpbench-postgres-"))
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("Postgres does not run as root, and there is no setpriv")
        as_user = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"]
        os.chown(folder, 65534, 65534)
    data = folder / "data"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    make = [*as_user, initdb, "-D", str(data), "-U", "llpbench", "-A", "trust", "-N", "-E", "UTF8"]
    subprocess.run(make, check=True, **quiet)  # type: ignore[call-overload]
    run = [*as_user, server, "-D", str(data), "-k", str(folder), *_SETTINGS]
    process = subprocess.Popen(run, **quiet)  # type: ignore[call-overload]
    try:
        _wait_for(folder / ".s.PGSQL.5432", process)
        yield f"postgresql://llpbench@/postgres?host={folder}"
    finally:
        process.send_signal(signal.SIGINT)  # without waiting for clients
        process.wait(30)
        shutil.rmtree(folder)


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """A database of its own in a cluster."""
    name = f"test_{secrets.token_hex(6)}"
    engine = sa.create_engine(server.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    yield server.replace("/postgres?", f"/{name}?")


@contextmanager
def served(service: Service) -> Iterator[int]:
    """A server in a thread of this process that scores nothing; its port."""
    from llpbench.challenge.server.serving import make_server

    port = free_port()
    server = make_server(service, "127.0.0.1", port)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield port
    finally:
        server.should_exit = True
        thread.join()


def make_challenge(folder: Path, **rules: Any) -> ChallengeFolder:
    """A challenge on the test split of a small grid of 24 divisions."""
    store = folder.with_name(f"{folder.name}-grid")
    write_region(make_region(24, 12, 6, 4), store)
    challenge, truth = ChallengeFolder(folder), make_truth(llpbench.open_dataset(store))
    challenge.private.mkdir(parents=True, mode=0o700)
    write_truth(truth, challenge.truth_file)
    divisions, chips = scored_divisions(truth)
    halves = draw_halves(divisions.tolist(), chips.tolist(), 0.5, seed=3)
    challenge.halves_file.write_text(json.dumps(asdict(halves)))
    write_rules(challenge, dataset=truth.attrs["name"], digest=truth.attrs["digest"], **rules)
    return challenge


def write_rules(challenge: ChallengeFolder, **changes: Any) -> None:
    """Rules of a challenge that is open, but for what is said otherwise."""
    rules = {
        "name": "grid",
        "title": "Shares of a small grid",
        "dataset": "grid",
        "digest": "sha256:" + "0" * 64,
        "tracks": ["inductive", "cross-region"],
        "opens": datetime(2020, 1, 1, tzinfo=UTC),
        "closes": datetime(2100, 1, 1, tzinfo=UTC),
    }
    lines = [f"{name} = {_toml(value)}\n" for name, value in {**rules, **changes}.items()]
    challenge.path.mkdir(exist_ok=True)
    challenge.rules_file.write_text("".join(lines))


def _toml(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else json.dumps(value)


def free_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Answer(NamedTuple):
    """What a server said."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Its body, read."""
        return json.loads(self.body)


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
    """Ask a server on this machine; underscores in names of headers stand for hyphens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, names)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())
    finally:
        connection.close()


class Process:
    """A server or a worker of :mod:`challenge_process`, which can be killed and started again."""

    def __init__(self, what: str, challenge: ChallengeFolder, url: str, port: int = 0) -> None:
        program = Path(__file__).with_name("challenge_process.py")
        self._command = [sys.executable, str(program), what, str(challenge.path), url, str(port)]
        self._is_server, self.port = what == "serve", port
        self._log = challenge.path.with_name(f"{what}.log")
        self.start()

    def start(self) -> None:
        """Start it."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)

    def kill(self) -> None:
        """End it as a machine does that loses power."""
        self.process.kill()
        self.process.wait()

    def said(self) -> str:
        """All that it wrote."""
        return self._log.read_text()

    def wait(self) -> None:
        """Wait until it answers."""
        for _ in range(1200):
            with contextlib.suppress(OSError):
                if ask(self.port, "GET", "/health").status == 200:
                    return
            assert self.process.poll() is None, self.said()
            time.sleep(0.05)
        raise RuntimeError("the server does not come up")


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if path.exists() and process.poll() is None:
            return
        time.sleep(0.05)
    raise RuntimeError(f"{path.name} does not come up")
