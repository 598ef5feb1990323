"""Many chips are scored with as much memory as few, and to the same values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import streamed_scoring

import llpbench
from llpbench.board.large_truth import open_truth


def test_ten_thousand_chips_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_scoring, "PART", 1500)
    truth, parts = tmp_path / "truth.parquet", tmp_path / "parts"
    streamed_scoring.write_truth(truth, 10_000)
    streamed_scoring.write_parts(parts, 10_000)
    expected = llpbench.evaluate(parts, open_truth(truth))
    for module in ("board.large_truth", "predictions.parquet"):
        monkeypatch.setattr(f"llpbench.{module}.ROWS_AT_ONCE", 999)
    monkeypatch.setattr("llpbench.board.large_truth.MOST_OPENED", 0)
    found = llpbench.evaluate(parts, open_truth(truth))
    assert found.digests == expected.digests
    assert len(found.divisions) == 10_000  # a division a chip
    for name, sums in expected.tallies.items():
        np.testing.assert_allclose(found.tallies[name], sums, rtol=1e-12, atol=1e-12, err_msg=name)


@pytest.mark.full
def test_memory_does_not_grow_with_chips(tmp_path: Path) -> None:
    few, many = (streamed_scoring.measure(tmp_path, chips)[1] for chips in (1_000_000, 2_000_000))
    assert many < streamed_scoring.GROWTH * few
    assert many < streamed_scoring.PEAK_BYTES
