"""One work in a process of its own, which ends with the one that started it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import get_context
from typing import TypeVar

from llpbench.errors import MethodError

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


def do_apart(work: Callable[[Item], Outcome], item: Item) -> Outcome:
    """Do one work in a new process, whose memory holds nothing else.

    Parameters
    ----------
    work : callable
        Picklable, as the item and the outcome are; what it raises is raised here.

    Raises
    ------
    MethodError
        If the process was ended from outside.
    """
    try:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            return pool.submit(_do, work, item, os.getpid()).result()
    except BrokenProcessPool as error:
        raise MethodError(
            "the process that trains was ended by the system, which does so when memory runs out: "
            "give it less to hold"
        ) from error


def _do(work: Callable[[Item], Outcome], item: Item, asked_by: int) -> Outcome:
    if os.getpid() != asked_by:
        _end_with(asked_by)
    return work(item)


@cache
def _end_with(parent: int) -> None:
    """End this process, too, when the one that started it was killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
