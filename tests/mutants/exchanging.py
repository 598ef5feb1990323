"""A mutant in the place of its module: before it is imported, or in a process that has it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Sequence
from functools import cached_property
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, FunctionType, ModuleType
from typing import Any

from generating import Mutant


def exchange_import(mutant: Mutant) -> None:
    """Let the module, when it is imported, be the mutant."""
    sys.meta_path.insert(0, _Finder(mutant))


class _Finder(MetaPathFinder):
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


def is_exchangeable(mutant: Mutant) -> bool:
    """Whether the change is inside a function that can be found in the imported module."""
    module = sys.modules.get(mutant.module)
    return bool(mutant.lines) and module is not None and _function(module, mutant) is not None


def exchange_function(mutant: Mutant) -> None:
    """Let the function do what the mutant's does, for everyone who has imported it."""
    module = sys.modules[mutant.module]
    changed = ModuleType(mutant.module)
    changed.__dict__.update(__file__=module.__file__, __package__=module.__package__)
    exec(compile(mutant.source, str(module.__file__), "exec"), changed.__dict__)
    old, new = _function(module, mutant), _function(changed, mutant)
    assert old is not None
    assert new is not None
    old.__code__ = new.__code__
    old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__


def _function(module: ModuleType, mutant: Mutant) -> FunctionType | None:
    """The outermost function around the change."""
    found: Any = module
    for name in mutant.place.split("."):
        found = vars(found).get(name)
        if isinstance(found, property):
            found = found.fget
        elif isinstance(found, cached_property):
            found = found.func
        elif callable(found) or isinstance(found, staticmethod | classmethod):
            found = inspect.unwrap(found)
        if not inspect.isclass(found):
            break
    return found if isinstance(found, FunctionType) else None
