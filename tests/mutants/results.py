"""What is known of mutants, kept in a file so that a call goes on where the last one stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from importlib.machinery import PathFinder
from pathlib import Path

from generating import Mutant
from running import ROOT

PACKAGES = ("llpbench", "llpbench_baselines")
FILE = ROOT / ".mutants.json"


def module_path(module: str) -> Path:
    """File of an installed module, which is not imported: it could not be exchanged any more.

    Raises
    ------
    SystemExit
        If the package is not installed, or has no such module.
    """
    package, *rest = module.split(".")
    spec = PathFinder.find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed: run `make install`")
    path = Path(spec.origin).parent.joinpath(*rest).with_suffix(".py")
    if not path.is_file():
        raise SystemExit(f"there is no module {module}: correct tests/mutants/mutants.toml")
    return path


class Results:
    """The test that killed each mutant, for as long as library and tests stay the same.

    Of the tests, the file with the killer has to stay the same, or all files where nothing killed
    the mutant; and the modules that tests share.
    """

    def __init__(self) -> None:
        packages = [module_path(f"{name}.__init__").parent for name in PACKAGES]
        library = [path for package in packages for path in package.rglob("*.py")]
        shared = [path for path in ROOT.glob("tests/*.py") if not path.name.startswith("test_")]
        self._common = _digest(library) + _digest(shared)
        self._known: dict[str, list[str | None]] = {}
        if FILE.is_file():
            self._known = json.loads(FILE.read_text(encoding="utf-8"))

    def get(self, mutant: Mutant, files: Sequence[str]) -> tuple[bool, str | None]:
        """Whether a mutant has been judged, and the test that killed it."""
        state, killer = self._known.get(_name(mutant), [None, None])
        return state == self._state(files, killer), killer

    def put(self, mutant: Mutant, files: Sequence[str], killer: str | None) -> None:
        """Note the verdict on a mutant by these test files."""
        self._known[_name(mutant)] = [self._state(files, killer), killer]

    def save(self) -> None:
        """Write the file."""
        new = FILE.with_suffix(".new")
        new.write_text(json.dumps(self._known), encoding="utf-8")
        new.replace(FILE)

    def _state(self, files: Sequence[str], killer: str | None) -> str:
        own = [name for name in files if killer and killer.startswith(f"tests/{name}::")]
        paths = [ROOT / "tests" / name for name in own or files]
        return hashlib.sha256((self._common + _digest(paths)).encode()).hexdigest()


def _digest(paths: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _name(mutant: Mutant) -> str:
    return hashlib.sha256(f"{mutant.module}\n{mutant.source}".encode()).hexdigest()
