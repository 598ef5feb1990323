"""How long and how often: the waits between attempts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from fetching import eager
from hypothesis import example, given
from hypothesis import strategies as st

from llpbench.data.fetch.retrying import Retries, SourceError, TransientError, insist


def after(failures: int) -> Retries:
    """What is left of many retries after some failures in a row."""
    retries = Retries(10_000)
    for _ in range(failures):
        retries = retries.increment()
    return retries


@given(st.integers(1, 80))
def test_backoff_doubles_up_to_its_limit_with_jitter_over_the_upper_half(failures: int) -> None:
    full = 60 if failures > 6 else 2 ** (failures - 1)  # 1 2 4 8 16 32 60 60 ...
    assert full / 2 <= after(failures).wait(None) <= full


@given(st.integers(1, 20), st.integers(0, 10**12))
def test_retry_after_is_waited_in_full_up_to_its_limit(failures: int, asked: int) -> None:
    assert min(asked, 600) <= after(failures).wait(f" {asked} ") <= min(asked, 600) + 60


@given(st.integers(-(10**6), 10**6))
def test_retry_after_as_a_date_counts_from_now_and_never_backwards(seconds: int) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    least = min(max(0, seconds - 5), 600)  # a date has no fractions, and the clock goes on
    assert least <= after(1).wait(date) <= min(max(0, seconds), 600) + 1


@given(st.text())
@example("9" * 5000)  # more digits than int() reads
@example("²")  # a digit to str.isdigit, not to float
@example("Wed, 21 Oct 99999 07:28:00 GMT")
@example("-5")
def test_a_retry_after_that_cannot_be_understood_is_none(value: str) -> None:
    assert 0.5 <= after(1).wait(value) <= 601


def test_jitter_spreads_clients() -> None:
    assert len({after(3).wait(None) for _ in range(20)}) > 1


def test_patience_ends_after_failures_in_a_row_and_the_last_one_is_told() -> None:
    waits: list[float] = []
    asked = []

    def attempt() -> None:
        asked.append(len(asked))
        raise TransientError(f"failure {len(asked)}")

    with (
        eager(waits, attempts=5),
        pytest.raises(SourceError, match="failure 5, 5 times in a row"),
    ):
        insist(attempt)
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

    with eager(attempts=3), pytest.raises(SourceError, match="3 times in a row"):
        insist(attempt, progress=lambda: height)
    assert next(heights) == 30


def test_an_error_that_will_not_pass_is_not_repeated() -> None:
    waits: list[float] = []

    def attempt() -> None:
        raise ZeroDivisionError

    with eager(waits), pytest.raises(ZeroDivisionError):
        insist(attempt)
    assert waits == []
