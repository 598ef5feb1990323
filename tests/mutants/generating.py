"""One small change of a module at a time, made by the operators of mutmut.

mutmut itself changes nothing outside undecorated functions, and the allow-lists of the protocol
and the table of measures stand at the top of their modules; so the operators are its, and the
walk through the syntax tree is ours.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators


@dataclass(frozen=True)
class Mutant:
    """A module with one change.

    Attributes
    ----------
    module : str
        Name to import it by.
    place : str
        Qualified name of the function that is changed; empty outside functions.
    change : str
        The changed lines, as a diff without context and indentation. Module, place and change
        name a mutant in the list of survivors: other lines of the module may come and go.
    source : str
        Text of the changed module.
    lines : range
        Lines of the function; none outside functions.
    """

    module: str
    place: str
    change: str
    source: str
    lines: range


def mutants(module: str, source: str) -> Iterator[Mutant]:
    """Every change of a module that can be compiled, none of them twice."""
    tree = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    walk = _Walk()
    tree.visit(walk)
    seen = {source}
    for (place, lines), node, changed in walk.changes:
        mutated = tree.module.deep_replace(node, changed).code
        if mutated not in seen and _compiles(mutated):
            seen.add(mutated)
            yield Mutant(module, place, _change(source, mutated), mutated, lines)


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _change(before: str, after: str) -> str:
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0))[2:]
    changed = [f"{line[0]} {line[1:].strip()}" for line in lines if line[0] in "+-"]
    return "\n".join(changed)


# What is passed over, since a change there says nothing about the tests.

_TYPES = m.Subscript(
    value=m.OneOf(*(m.Name(n) for n in ("NDArray", "Callable", "Literal", "tuple")))
)
_PASSED_OVER = (
    # Annotations and aliases of types: mypy's business, not read when the program runs.
    m.Annotation(),
    m.OneOf(m.Assign(value=_TYPES), m.AnnAssign(value=_TYPES)),
    m.Assign(value=m.BinaryOperation(left=_TYPES)),
    m.If(test=m.Name("TYPE_CHECKING")),
    m.Call(func=m.Name("TypeVar")),
    # Arguments of decorators: sizes of caches, frozen dataclasses.
    m.Decorator(),
    # Signatures for mypy.
    m.FunctionDef(decorators=[m.Decorator(decorator=m.Name("overload"))]),
    # Docstrings.
    m.Expr(value=m.OneOf(m.SimpleString(), m.ConcatenatedString())),
    # What `import *` and the documentation list.
    m.Assign(targets=[m.AssignTarget(target=m.Name("__all__"))]),
    # `strict` of zip guards against mistakes in the program, which no input can reach.
    m.Arg(keyword=m.Name("strict")),
)
_RAISE = m.Raise()
_ZIP = m.Call(func=m.Name("zip"))


class _Walk(cst.CSTVisitor):
    """Collects (place, node, changed node)."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[tuple[tuple[str, range], cst.CSTNode, cst.CSTNode]] = []
        self._around: list[cst.FunctionDef | cst.ClassDef] = []
        self._raising = 0

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef | cst.ClassDef):
            self._around.append(node)
        self._raising += m.matches(node, _RAISE)
        if any(m.matches(node, passed_over) for passed_over in _PASSED_OVER):
            return False  # and is left all the same
        self.changes += [(self._place(), node, changed) for changed in self._changed(node)]
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.FunctionDef | cst.ClassDef):
            self._around.pop()
        self._raising -= m.matches(original_node, _RAISE)

    def _place(self) -> tuple[str, range]:
        """Qualified name, and the lines of the body of the outermost function."""
        name = ".".join(node.name.value for node in self._around)
        for node in self._around:
            if isinstance(node, cst.FunctionDef):
                position = self.get_metadata(PositionProvider, node.body)
                return name, range(position.start.line, position.end.line + 1)
        return name, range(0)

    def _changed(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        if isinstance(node, cst.BaseString) and self._raising:
            return  # the wording of a message
        if m.matches(node, _ZIP):
            return
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                for changed in operator(node):
                    yield changed
                    if isinstance(node, cst.BaseString):
                        break  # the same text in capitals, and in small letters
