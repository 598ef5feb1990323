"""Programs of this package in processes of their own, whose time and memory are bounded.

What reads files of anybody may take all memory there is, or never end: in a process of its own it
takes nothing down, and it can be killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

_PATIENCE = 3
"""How many times its seconds a process may last: a slow disk or a busy machine takes longer."""


def run_apart(
    module: str,
    arguments: Sequence[str],
    seconds: int,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a module of this package as a program, and kill it when it does not end.

    How it ended is not told: what it has to say, it writes into a file that ``arguments`` name.

    Parameters
    ----------
    module : str
        Name of the module; it calls :func:`bound` before anything else.
    arguments : sequence of str
        What it is given.
    seconds : int
        That it may compute; it may last three times as long.
    environment : mapping, optional
        Variables in the place of those of this process.
    """
    with contextlib.suppress(subprocess.TimeoutExpired):
        subprocess.run(  # noqa: S603
            [sys.executable, "-P", "-m", module, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE * seconds,
            check=False,
        )


def bound(memory: int, seconds: int) -> None:
    """Bound the memory, in bytes, and the seconds of this process, where the system can.

    It ends in time also where the process that started it was killed.
    """
    if hasattr(signal, "alarm"):  # Windows has none
        signal.alarm(_PATIENCE * seconds)
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))


def one_thread(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables with which numerical libraries take one thread, and little memory for it.

    Examples
    --------
    >>> one_thread({"HOME": "/root"})["OMP_NUM_THREADS"]
    '1'
    """
    few = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    return {**variables, **few, "MALLOC_ARENA_MAX": "2"}
