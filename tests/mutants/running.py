"""Mutants meet the tests, each in a process of its own, which is forked when all is imported."""

from __future__ import annotations

import gc
import importlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from _pytest.config import default_plugins
from coverage import Coverage
from exchanging import exchange_function, exchange_import, is_exchangeable
from generating import Mutant
from hypothesis import HealthCheck, Phase, settings
from processes import FORK, Work, results

ROOT = Path(__file__).resolve().parents[2]
_SLOW = (
    *("geopandas", "pydantic", "scipy.optimize", "scipy.stats", "sklearn.metrics", "xarray"),
    *("zarr", "pytest_timeout", *(f"_pytest.{name}" for name in default_plugins)),
)
"""Imported once; nothing of this project."""
_LEAST_SECONDS, _TIMES = 20, 10
"""A mutant whose tests take so many times as long as without a change counts as killed."""

Verdict = tuple[Mutant, str | None]
"""A mutant and the test that killed it; None if all tests passed."""


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


@dataclass
class Tests:
    """The tests of a module, measured without a change.

    Attributes
    ----------
    seconds : dict of str to float
        How long each takes.
    lines : dict of str to list of int
        Lines of the module that each runs.
    imported : list of int
        Lines that run when the module, and others that use it, are imported.
    killers : list of str
        Those that killed a mutant, the latest first: likely to kill the next.
    """

    seconds: dict[str, float]
    lines: dict[str, list[int]]
    imported: list[int]
    killers: list[str] = field(default_factory=list)

    def only_call(self, mutant: Mutant) -> bool:
        """Whether what is changed runs in tests only: nothing that was imported came of it."""
        return bool(mutant.lines) and not any(line in mutant.lines for line in self.imported)

    def of(self, mutant: Mutant) -> list[str]:
        """Tests that run the changed function, all for a change of what the import runs.

        Recent killers come first, then the quickest.
        """
        chosen = {test for test in self.seconds if self._run(test, mutant)}
        recent = [test for test in self.killers if test in chosen]
        return recent + sorted(chosen.difference(recent), key=self.seconds.__getitem__)

    def _run(self, test: str, mutant: Mutant) -> bool:
        lines = self.lines.get(test, [])
        return not self.only_call(mutant) or any(line in mutant.lines for line in lines)

    def limit(self, chosen: Iterable[str]) -> int:
        """Seconds of computing that these tests are given."""
        return max(_LEAST_SECONDS, int(_TIMES * sum(self.seconds[test] for test in chosen)))

    def note(self, killer: str | None) -> None:
        """Remember a killer."""
        if killer in self.seconds:
            self.killers = [killer, *(test for test in self.killers if test != killer)][:20]


def judge(
    mutants: Sequence[Mutant], files: Sequence[str], module: Path, processes: int
) -> Iterator[Verdict]:
    """Judge mutants of the module in a file by test files.

    A process collects the tests, and forks another for each mutant of a function, which takes up
    the changed code and runs the tests. What is changed elsewhere, or in a function that the import
    calls, is imported anew, and the tests with it.

    Raises
    ------
    SystemExit
        If a test fails without a change: then nothing can be said of mutants.
    """
    receive, send = FORK.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        output = Path(folder, "output.txt")
        serve = partial(_serve, mutants, module, processes, send)
        session = FORK.Process(target=_run_pytest, args=(files, module, serve, output))
        session.start()
        send.close()
        tests, left = None, dict.fromkeys(mutants)
        for message in _messages(receive):
            if isinstance(message, Tests):
                tests = message
            else:
                left.pop(message[0])
                yield message
        session.join()
        if tests is None or session.exitcode:
            print(output.read_text(encoding="utf-8"))
            raise SystemExit(f"{', '.join(files)} cannot be run: mend that first")
    yield from _verdicts(list(left), tests, partial(_import_and_run, files), processes)


def _messages(receive: Connection) -> Iterator[Tests | Verdict]:
    while True:
        try:
            yield receive.recv()
        except EOFError:
            return


def _verdicts(
    mutants: Sequence[Mutant],
    tests: Tests,
    run: Callable[[Mutant, Sequence[str]], str | None],
    processes: int,
) -> Iterator[Verdict]:
    def work() -> Iterator[Work[Mutant]]:
        for mutant in mutants:
            chosen = tests.of(mutant)
            yield Work(mutant, partial(run, mutant, chosen), tests.limit(chosen))

    for mutant, killer in results(work(), processes):
        tests.note(killer)
        yield mutant, killer


# In the process that has collected the tests


def _serve(
    mutants: Sequence[Mutant],
    module: Path,
    processes: int,
    send: Connection,
    collecting: Coverage,
    loop: _Loop,
) -> None:
    """Measure the tests, then judge what can be exchanged; each in a fork of this process."""
    imported = _stop(collecting).get("", [])
    measuring = Work("", partial(_measure, module, loop), 3600)
    ((_, measured),) = results([measuring], 1)
    try:
        tests = Tests(**json.loads(measured or ""), imported=imported)
    except ValueError:
        raise pytest.UsageError(f"without any change: {measured}") from None
    send.send(tests)
    inside = [mutant for mutant in mutants if tests.only_call(mutant) and is_exchangeable(mutant)]
    for verdict in _verdicts(inside, tests, partial(_exchange_and_run, loop), processes):
        send.send(verdict)


def _measure(module: Path, loop: _Loop) -> str:
    loop.coverage = _coverage(module)
    failed = loop.run(loop.items)
    lines = _stop(loop.coverage)
    return failed or json.dumps({"seconds": loop.seconds, "lines": lines})


def _coverage(module: Path) -> Coverage:
    coverage = Coverage(data_file=None, include=[str(module)], config_file=False)
    coverage.set_option("run:disable_warnings", ["no-data-collected"])
    coverage.start()
    return coverage


def _stop(coverage: Coverage) -> dict[str, list[int]]:
    """Lines that ran, by test; without a name those that ran outside."""
    coverage.stop()
    data, lines = coverage.get_data(), dict[str, list[int]]()
    for file in data.measured_files():
        for line, names in data.contexts_by_lineno(file).items():
            for name in names:
                lines.setdefault(name, []).append(line)
    return lines


def _exchange_and_run(loop: _Loop, mutant: Mutant, chosen: Sequence[str]) -> str | None:
    try:
        exchange_function(mutant)
    except Exception as error:  # as the import would
        return f"import: {error!r}"
    return loop.run(chosen)


# In a process of its own


def _import_and_run(files: Sequence[str], mutant: Mutant, chosen: Sequence[str]) -> str | None:
    exchange_import(mutant)
    failed: list[str | None] = []
    code = _pytest(files, lambda loop: failed.append(loop.run(chosen)), Path(os.devnull))
    return failed[0] if failed else f"pytest ended with code {code}"


def _run_pytest(
    files: Sequence[str], module: Path, serve: Callable[[Coverage, _Loop], None], output: Path
) -> None:
    os._exit(_pytest(files, partial(serve, _coverage(module)), output))


def _pytest(files: Sequence[str], loop: Callable[[_Loop], None], output: Path) -> int:
    """Collect the tests, and do as ``loop`` says instead of running them."""
    file = os.open(output, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.chdir(ROOT)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    options = ["-q", "-s", "--assert=plain", "-p", "no:cacheprovider", "-p", "pytest_timeout"]
    paths = [f"tests/{name}" for name in files]
    return int(pytest.main([*options, *paths], [_Loop(loop)]))


class _Loop:
    """Stands in for pytest's loop over the tests; notes how long each takes and which fails."""

    def __init__(self, loop: Callable[[_Loop], None]) -> None:
        self._loop = loop
        self.items: dict[str, pytest.Item] = {}
        self.seconds: dict[str, float] = {}
        self.coverage: Coverage | None = None
        self._failed: str | None = None

    def run(self, tests: Iterable[str]) -> str | None:
        """Run tests until one fails, and say which."""
        items = [self.items[test] for test in tests if test in self.items]
        for item, following in zip_longest(items, items[1:]):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._failed is not None:
                break
        return self._failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("the tests cannot be collected")
        self.items = {item.nodeid: item for item in session.items}
        self._loop(self)
        return True

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if self.coverage is not None:
            self.coverage.switch_context(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self._failed = report.nodeid
