"""What the server does not do, in one sentence, and the status of HTTP that says so."""

from __future__ import annotations

from llpbench.errors import LLPBenchError


class RefusalError(LLPBenchError):
    """A request that is refused.

    Parameters
    ----------
    status : int
        Of HTTP, from 400.
    sentence : str
        What was expected and what to do; it is shown to whoever asked.
    wait : float, optional
        Seconds after which the same request may be granted.
    """

    def __init__(self, status: int, sentence: str, wait: float | None = None) -> None:
        super().__init__(sentence)
        self.status, self.wait = status, wait
