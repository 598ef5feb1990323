"""The command that makes a run again: written from its record, and read without a shell."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from llpbench.errors import MethodError
from llpbench.methods.registry import make_method, method_class, split_name
from llpbench.runs.record import Run

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class RunCommand:
    """The arguments of ``llpbench run`` that change predictions."""

    method: str
    dataset: str
    seeds: tuple[int, ...] = (0,)
    settings: dict[str, Any] = field(default_factory=dict)
    apply_to: str | None = None
    deterministic: bool = False

    def __str__(self) -> str:
        """The command line.

        Examples
        --------
        >>> str(RunCommand("qkm", "demo-humanpop", (0, 1), {"epochs": 4}))
        'llpbench run qkm --dataset demo-humanpop --set epochs=4 --seed 0 --seed 1'
        """
        words = ["llpbench", "run", self.method, "--dataset", self.dataset]
        words += ["--apply-to", self.apply_to] if self.apply_to else []
        for name, value in self.settings.items():
            words += ["--set", f"{name}={json.dumps(value)}"]
        for seed in self.seeds:
            words += ["--seed", str(seed)]
        words += ["--deterministic"] if self.deterministic else []
        return shlex.join(words)


def command_of(runs: Sequence[Run]) -> RunCommand:
    """The command that makes seeds of one setting again; only unusual settings are named."""
    record = runs[0].record
    usual = make_method(record.method).settings
    kind = method_class(split_name(record.method)[0])
    settings = kind.from_settings(record.settings, strict=False).settings
    chosen = {name: value for name, value in settings.items() if value != usual.get(name)}
    deterministic = bool(chosen.pop("deterministic", False))
    return RunCommand(
        record.method,
        record.trained_on,
        tuple(run.record.seed for run in runs),
        chosen,
        record.dataset if record.track == "cross-region" else None,
        deterministic,
    )


class _Parser(argparse.ArgumentParser):
    """Raises where argparse would print and exit."""

    def error(self, message: str) -> NoReturn:
        reason = " ".join(message.split())[:200]
        raise MethodError(f"this is no `llpbench run METHOD --dataset NAME ...`: {reason}")


def parse_run_command(text: str) -> RunCommand:
    """Read a command without running anything.

    It must be ``llpbench run METHOD --dataset NAME [--seed N]... [--epochs N]
    [--set NAME=VALUE]... [--apply-to NAME] [--deterministic]``: one dataset, names but no paths.

    Examples
    --------
    >>> parse_run_command("llpbench run qkm --dataset demo-humanpop --epochs 4").settings
    {'epochs': 4}
    >>> parse_run_command("llpbench run llpnet+rake --dataset demo-humanpop").method
    'llpnet+rake'
    >>> parse_run_command("make predictions; rm -r data")
    Traceback (most recent call last):
        ...
    llpbench.errors.MethodError: this is no `llpbench run METHOD --dataset NAME ...`: ...
    """
    parser = _Parser(add_help=False, allow_abbrev=False)
    try:
        words = shlex.split(text)
    except ValueError as error:
        parser.error(str(error))
    if words[:2] != ["llpbench", "run"]:
        parser.error("it begins otherwise")
    parser.add_argument("method", type=_method)
    parser.add_argument("--dataset", type=_name, required=True)
    parser.add_argument("--apply-to", type=_name)
    parser.add_argument("--seed", type=int, action="append", dest="seeds")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--set", type=_setting, action="append", dest="settings", default=[])
    parser.add_argument("--deterministic", action="store_true")
    options = parser.parse_args(words[2:])
    epochs = {} if options.epochs is None else {"epochs": options.epochs}
    return RunCommand(
        method=options.method,
        dataset=options.dataset,
        seeds=tuple(options.seeds or (0,)),
        settings={**dict(options.settings), **epochs},
        apply_to=options.apply_to,
        deterministic=options.deterministic,
    )


def parse_setting(text: str) -> tuple[str, Any]:
    """Read a setting of a method, ``NAME=VALUE``; a value that is no JSON is taken as text.

    Examples
    --------
    >>> parse_setting("epochs=3"), parse_setting("encoder=deep")
    (('epochs', 3), ('encoder', 'deep'))
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"{text!r} is not NAME=VALUE")
    if name == "random_state":
        raise ValueError("random_state is the seed; give it as --seed")
    try:
        return name, json.loads(value)
    except (ValueError, RecursionError):
        return name, value


def _method(text: str) -> str:
    """A method and its post-processors, joined by ``+``."""
    first, post = split_name(text)
    return "+".join(_name(step) for step in (first, *post))


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError("names are expected, no paths")
    return text


def _setting(text: str) -> tuple[str, Any]:
    """A setting that names no file: a number, a boolean or a word."""
    try:
        name, value = parse_setting(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not isinstance(value, bool | int | float | None) and not _NAME.fullmatch(str(value)):
        raise argparse.ArgumentTypeError(f"{name} must be a number or a word")
    return name, value
