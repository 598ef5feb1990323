"""A private Postgres, for tests."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

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


def _wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        if path.exists() and process.poll() is None:
            return
        time.sleep(0.05)
    raise RuntimeError(f"{path.name} does not come up")
