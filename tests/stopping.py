"""What tests of interrupted trainings share: a wish to stop after so many batches."""

from __future__ import annotations

from threading import Event


class StopAfter(Event):
    """Set once it has been asked so many times."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self.left = batches

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0
