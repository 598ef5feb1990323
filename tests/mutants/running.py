"""A mutant meets the tests, in a process of its own that imports it in place of the module."""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path
from time import monotonic
from types import CodeType, ModuleType

import pytest
from coverage import Coverage
from generating import Mutant
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).resolve().parents[2]
_SLOW = (
    *("geopandas", "pydantic", "scipy.optimize", "scipy.stats", "sklearn.metrics", "xarray"),
    *("zarr", "_pytest.pytester"),
)
"""Imported once, before processes are forked; nothing of this project."""
_MEMORY = 8 * 2**30
"""Bytes that a mutant may take."""
_LEAST_SECONDS, _TIMES = 20, 10
"""A mutant whose tests take so many times as long as without a change counts as killed."""

_FORK = get_context("fork")


@dataclass
class Tests:
    """The tests of a module.

    Attributes
    ----------
    files : sequence of str
        Names in ``tests/``.
    seconds : dict of str to float
        How long each test takes without a change.
    lines : dict of str to list of str
        Tests that run a line of the module, by its number.
    killers : list of str
        Tests that killed a mutant, the latest first: likely to kill the next.
    """

    files: Sequence[str]
    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    killers: list[str] = field(default_factory=list)

    def of(self, mutant: Mutant) -> list[str]:
        """Tests that run the changed function, all for a change outside functions.

        Recent killers come first, then the quickest.
        """
        chosen = set(self.seconds)
        if mutant.lines:
            chosen &= {test for line in mutant.lines for test in self.lines.get(str(line), [])}
        recent = [test for test in self.killers if test in chosen]
        return recent + sorted(chosen.difference(recent), key=self.seconds.__getitem__)

    def limit(self, chosen: Iterable[str]) -> int:
        """Seconds of computing that these tests are given."""
        return max(_LEAST_SECONDS, int(_TIMES * sum(self.seconds[test] for test in chosen)))


def warm_up() -> None:
    """Import what is slow, and make what hypothesis draws the same at each call."""
    for name in _SLOW:
        importlib.import_module(name)
    settings.register_profile(
        "mutants",
        derandomize=True,
        database=None,
        deadline=None,
        max_examples=50,
        phases=(Phase.explicit, Phase.generate),  # nobody reads the smallest counterexample
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutants")
    gc.collect()
    gc.freeze()  # children need not look for garbage in what they inherit


def measure(tests: Tests, module: Path) -> None:
    """Run the tests without a change; note how long each takes and which lines it runs.

    Raises
    ------
    SystemExit
        If one fails: then nothing can be said of mutants.
    """
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        folder = Path(name)
        process = _FORK.Process(target=_run_unchanged, args=(tests.files, module, folder))
        process.start()
        process.join()
        if process.exitcode:
            print((folder / "output.txt").read_text(encoding="utf-8"))
            raise SystemExit(f"{', '.join(tests.files)} fail without any change: mend that first")
        watch = json.loads((folder / "watch.json").read_text(encoding="utf-8"))
    tests.seconds, tests.lines = watch["seconds"], watch["lines"]


def judge(
    mutants: Iterable[Mutant], tests: Tests, processes: int
) -> Iterator[tuple[Mutant, str | None]]:
    """Each mutant with the test that killed it; None if all tests passed."""
    running: list[_Child] = []
    for mutant in mutants:
        chosen = tests.of(mutant)
        if not chosen:
            yield mutant, None
            continue
        running.append(_Child(mutant, chosen, tests.limit(chosen)))
        if len(running) == processes:
            yield _first(running, tests)
    while running:
        yield _first(running, tests)


def _first(running: list[_Child], tests: Tests) -> tuple[Mutant, str | None]:
    """Wait for one of the processes to end."""
    ended: list[_Child] = []
    while not ended:
        wait([child.process.sentinel for child in running], timeout=1)
        ended = [child for child in running if child.has_ended()]
    running.remove(ended[0])
    killer = ended[0].killer()
    if killer in tests.seconds:
        tests.killers = [killer, *(test for test in tests.killers if test != killer)][:20]
    return ended[0].mutant, killer


class _Child:
    """A process that runs tests of a mutant until one fails."""

    def __init__(self, mutant: Mutant, chosen: Sequence[str], limit: int) -> None:
        self.mutant = mutant
        self._folder = tempfile.TemporaryDirectory(prefix="mutant-", ignore_cleanup_errors=True)
        self._until = monotonic() + 10 * limit  # computing, or waiting for something
        arguments = (mutant, chosen, limit, Path(self._folder.name))
        self.process = _FORK.Process(target=_run_changed, args=arguments)
        self.process.start()

    def has_ended(self) -> bool:
        """Also a process that is late, which is ended now."""
        if self.process.is_alive() and monotonic() > self._until:
            assert self.process.pid is not None
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.join()
        return not self.process.is_alive()

    def killer(self) -> str | None:
        """The test that failed, or how else the process ended; None if all tests passed."""
        watch = Path(self._folder.name, "watch.json")
        failed = (
            json.loads(watch.read_text(encoding="utf-8"))["failed"] if watch.is_file() else None
        )
        self._folder.cleanup()
        return failed or (f"exit code {self.process.exitcode}" if self.process.exitcode else None)


def _run_unchanged(files: Sequence[str], module: Path, folder: Path) -> None:
    coverage = Coverage(data_file=None, include=[str(module)], config_file=False)
    coverage.start()
    watch = _Watch(folder, [], coverage)
    _run_pytest([f"tests/{name}" for name in files], watch)


def _run_changed(mutant: Mutant, chosen: Sequence[str], limit: int, folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    sys.meta_path.insert(0, _Instead(mutant))
    files = sorted({test.split("::")[0] for test in chosen})
    _run_pytest(files, _Watch(folder, chosen, None))


def _run_pytest(files: Sequence[str], watch: _Watch) -> None:
    os.setsid()
    output = os.open(watch.folder / "output.txt", os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(ROOT)
    options = ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist"]
    code = pytest.main([*options, f"--basetemp={watch.folder / 'tests'}", *files], [watch])
    os._exit(code)  # whatever the changed code has registered for the end


class _Instead(MetaPathFinder):
    """Finds a mutant where its module is asked for."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self._mutant.module:
            return None
        spec = PathFinder.find_spec(name, path, target)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = _Loader(name, spec.origin, self._mutant.source)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._changed = source

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self._changed.encode(), self.path)


class _Watch:
    """Chooses and orders the tests; notes how long each takes, what it runs and which fails."""

    def __init__(self, folder: Path, chosen: Sequence[str], coverage: Coverage | None) -> None:
        self.folder, self._chosen, self._coverage = folder, chosen, coverage
        self._seconds: dict[str, float] = {}
        self._failed: str | None = None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        if self._chosen:
            items[:] = [item for item in items if item.nodeid in self._chosen]
            items.sort(key=lambda item: self._chosen.index(item.nodeid))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if self._coverage is not None:
            self._coverage.switch_context(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] = self._seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self._failed = report.nodeid

    def pytest_sessionfinish(self) -> None:
        watch = {"failed": self._failed, "seconds": self._seconds, "lines": self._lines()}
        (self.folder / "watch.json").write_text(json.dumps(watch), encoding="utf-8")

    def _lines(self) -> dict[int, list[str]]:
        if self._coverage is None:
            return {}
        self._coverage.stop()
        data = self._coverage.get_data()
        return {
            line: contexts
            for file in data.measured_files()
            for line, contexts in data.contexts_by_lineno(file).items()
        }
