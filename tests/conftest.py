"""Fixtures every test shares: no network but loopback, and a cache of its own.

What a fixture needs is imported when it is made: tests of arrays start without the whole library.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from browsing import Visitor
    from buckets import Bucket
    from own_region import OwnRegion
    from playwright.sync_api import Browser
    from zenodo_server import ZenodoServer

    from llpbench.board.standings import Row, Standings

# A deadline asserts a time, and a slow machine is no failure.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# Doctests are looked for in every module, and these are a program.
collect_ignore = ["mutants"]

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _is_loopback(address: object) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = str(address[0])
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if not _is_loopback(address):
            raise RuntimeError(f"a test tried to reach {address!r}: tests use loopback only")
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test out of the user's cache."""
    monkeypatch.setenv("LLPBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session", autouse=True)
def _no_flushing() -> Iterator[None]:
    """Wait for no disk: no test survives the power that is lost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _file: None)
        yield


@pytest.fixture(scope="module")
def no_pictures() -> Iterator[None]:
    """Runs leave out pictures, also where they are asked for.

    How long a chip takes is measured on two of them rather than on fifty.
    """
    from llpbench.methods.footprint import measure_latency

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(measure_latency.__kwdefaults__, "chips", 2)
        for name in ("write_plots", "write_division_plots"):
            patch.setattr(
                f"llpbench.plots.{name}", lambda _, folder, **__: folder.mkdir(exist_ok=True)
            )
        yield


@pytest.fixture(scope="module")
def no_map_pictures() -> Iterator[None]:
    """Maps and what is told of drift leave out their pictures, as runs do."""
    with pytest.MonkeyPatch.context() as patch:
        for place, drawn in (("maps.writing", "draw_map"), ("running.drifting", "draw_drift")):
            patch.setattr(f"llpbench.{place}.{drawn}", lambda *_: None)
            patch.setattr(f"llpbench.{place}.write_figure", lambda _, path: path.touch())
        yield


@pytest.fixture(scope="module")
def outlines_read_here() -> Iterator[None]:
    """Outlines are read without a process of their own, which takes longer to start than all else.

    For tests of what is made of outlines that are sound.
    """
    from llpbench.data.building.outline_file import read_file

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("llpbench.data.building.divisions.read_outlines", read_file)
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of semi-real data and golden values beside the project, where there is one."""
    if not SHARED.is_dir():
        pytest.skip("the semi-real data and golden values (../shared) are not here")
    return SHARED


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the small grid, with a chip outside every division and one without a label.

    Tests only read it; one that changes a store makes a copy.
    """
    from regions import make_region, write_region

    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(outside=1, unlabelled=1), path)
    return path


@pytest.fixture(scope="session")
def archive(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small grid as a published zip; tests only read it."""
    from llpbench.data.archive_export import write_archive

    return write_archive(store, tmp_path_factory.mktemp("archives") / "grid.zip")


@pytest.fixture
def members(archive: Path) -> dict[str, bytes]:
    """What is in that zip, by name."""
    from hostile import read_zip

    return read_zip(archive)


@pytest.fixture
def zenodo(monkeypatch: pytest.MonkeyPatch) -> Iterator[ZenodoServer]:
    """A stand-in for Zenodo that everything asks by default, past any proxy."""
    from zenodo_server import ZenodoServer

    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with ZenodoServer() as server:
        monkeypatch.setenv("LLPBENCH_ZENODO_URL", server.url)
        yield server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """A stand-in for S3; its URL."""
    from buckets import serving

    with serving() as url:
        yield url


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bucket:
    """An empty bucket of it, which the environment leads to."""
    from buckets import Bucket, use

    use(s3_server, monkeypatch)
    return Bucket(s3_server, f"b{abs(hash(tmp_path))}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A private Postgres; tests skip where there is none."""
    from postgres import postgres

    with postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of either kind for a challenge."""
    from postgres import new_database

    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'challenge.sqlite'}"
        return
    with new_database(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless chromium; tests skip where there is none."""
    from browsing import launch

    yield from launch()


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    """Whatever a test does on pages, no error, message or request may come of it."""
    from browsing import Visitor

    visitor = Visitor(browser)
    yield visitor
    visitor.close()
    assert visitor.troubles == []


@pytest.fixture(scope="module")
def made() -> Standings:
    """Twelve entries in one track and three in another, of random numbers."""
    from made_standings import make_standings

    return make_standings()


@pytest.fixture(scope="module")
def rows(made: Standings) -> list[Row]:
    """The rows of the first table of these."""
    return made.tables[0].rows


@pytest.fixture(scope="module")
def site(made: Standings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of these."""
    from llpbench.board.site import render_page

    path = tmp_path_factory.mktemp("site") / "index.html"
    path.write_text(render_page(made), encoding="utf-8")
    return path


@pytest.fixture
def own(tmp_path: Path) -> OwnRegion:
    """Files of a small region, as somebody might bring them."""
    from own_region import OwnRegion

    return OwnRegion(tmp_path)
