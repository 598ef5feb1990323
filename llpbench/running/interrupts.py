"""Ctrl-C that first asks and then quits."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_NOTICE = (
    b"\nstopping: the best weights so far will be evaluated on the val split; "
    b"interrupt again to quit\n"
)


@contextmanager
def stop_on_interrupt() -> Iterator[threading.Event]:
    """Turn the first interrupt into a request to stop, an event; the second one quits as ever.

    Outside the main thread, which alone receives interrupts, nothing changes.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = signal.getsignal(signal.SIGINT) or signal.default_int_handler

    def ask(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        os.write(2, _NOTICE)
        stop.set()

    signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
