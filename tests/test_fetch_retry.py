"""How long and how often: the waits between attempts."""

from __future__ import annotations

import pytest
from fetching import eager
from hypothesis import given
from hypothesis import strategies as st

from llpbench.data.fetch.faults import SourceError, TransientError
from llpbench.data.fetch.retry import RetryPolicy, insist


@given(st.integers(1, 10_000))
def test_backoff_doubles_up_to_its_limit_with_jitter_over_the_upper_half(failures: int) -> None:
    policy = RetryPolicy(first_wait=1, longest_wait=60)
    full = 60 if failures > 6 else 2 ** (failures - 1)  # 1 2 4 8 16 32 60 60 ...
    assert full / 2 <= policy.wait(failures) <= full


@given(st.integers(1, 20), st.floats(0, 1e9))
def test_retry_after_is_waited_in_full_up_to_its_limit(failures: int, asked: float) -> None:
    policy = RetryPolicy(longest_retry_after=600, longest_wait=60)
    assert min(asked, 600) <= policy.wait(failures, asked) <= min(asked, 600) + 60


def test_jitter_spreads_clients() -> None:
    policy = RetryPolicy()
    assert len({policy.wait(3) for _ in range(20)}) > 1


def test_patience_ends_after_failures_in_a_row_and_the_last_one_is_told() -> None:
    waits: list[float] = []
    asked = []

    def attempt() -> None:
        asked.append(len(asked))
        raise TransientError(f"failure {len(asked)}")

    with pytest.raises(SourceError, match="failure 5, 5 times in a row"):
        insist(attempt, eager(waits, attempts=5))
    assert len(waits) == 4  # none after the last


def test_progress_starts_the_count_afresh_and_a_relapse_does_not() -> None:
    # Bytes after each attempt. Only 10, 20 and 30 are new heights, each of which restarts the
    # count at 1; with 3 attempts the run of 20, 5, 20 ends it before the 30 is reached.
    heights = iter([10, 20, 5, 20, 30])
    height = 0

    def attempt() -> None:
        nonlocal height
        height = next(heights)
        raise TransientError("cut")

    with pytest.raises(SourceError, match="3 times in a row"):
        insist(attempt, eager(attempts=3), reached=lambda: height)
    assert next(heights) == 30


def test_an_error_that_will_not_pass_is_not_repeated() -> None:
    waits: list[float] = []

    def attempt() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        insist(attempt, eager(waits))
    assert waits == []
