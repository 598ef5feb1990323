"""A dataset of items, built into a bucket by workers that are killed, is that of one process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("obstore")
pytest.importorskip("moto")
pytest.importorskip("distributed")


@pytest.mark.full
def test_killed_workers_leave_the_same_dataset(tmp_path: Path, bucket: Any) -> None:
    from scale_kills import build

    done = build(tmp_path, 3000, 5, (1, 4), bucket)
    assert done["same_digest"]
    assert done["kills"] >= 1
    assert done["chips"] > 2500
    assert done["written_twice"] == 0
    assert done["worker_peak_mb"] < 1500
