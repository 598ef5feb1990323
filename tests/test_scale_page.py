"""docs/scale.md says what was measured, and goes on by power laws."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
import scale_page
from scale import DATA, read


def test_the_page_is_that_of_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "scale"
    shutil.copytree(DATA.parent, folder)
    page = DATA.parent.with_suffix(".md")
    copy = shutil.copy(page, tmp_path / "scale.md")
    scale_page.main(folder / DATA.name)
    said = "python benchmarks/scale_page.py"
    assert Path(copy).read_text("utf-8") == page.read_text("utf-8"), said


@pytest.mark.parametrize(("exponent", "taken"), [(0.5, 1.0), (1.0, 1.0), (1.2, 1.2)])
def test_a_power_law_is_found_and_goes_on(exponent: float, taken: float) -> None:
    """Seconds are 1e-3 n^b: with b below 1 a chip is as dear as at the largest size."""
    chips = [4_000, 16_000, 72_000]
    seconds = [1e-3 * number**exponent for number in chips]
    rows = pd.DataFrame({"chips": chips, "cpu_s": seconds})
    assert scale_page.fit(rows) == pytest.approx((exponent, seconds[-1] / 72_000))
    expected = seconds[-1] * (1e6 / 72_000) ** taken / 3600
    assert scale_page.core_hours(rows, 1e6) == pytest.approx(expected)


def test_every_step_has_a_row() -> None:
    table = pd.DataFrame(read(DATA))
    costs = scale_page.costs(table)
    assert all(f"| {step} |" in costs for step in table["step"].unique())
