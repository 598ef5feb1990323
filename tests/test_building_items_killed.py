"""A dataset of items, built into a bucket by workers that are killed, is that of one process."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("obstore")
pytest.importorskip("moto")
pytest.importorskip("distributed")


@pytest.mark.full
def test_killed_workers_leave_the_same_dataset(tmp_path: Path) -> None:
    from scale_kills import build

    done = build(tmp_path, chips=3000, kills=5, seconds=(3, 9))
    assert done["same_digest"]
    assert done["kills"] >= 1
    assert done["chips"] > 2500
    assert done["worker_peak_mb"] < 1500
