"""docs/orbit.md says what its files measured, and what links and swaths make of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import orbit_budget
import orbit_flights
import orbit_page
import pandas as pd
import pytest

import llpbench

PAGE = orbit_page.PAGE_DATA.with_suffix(".md")
FILES = pd.DataFrame(
    [
        ("semi-esa", "near", "litert", "none", 9001, 2e6, 48_000, 0.05, 0.8, 0.32, 0.4, 1e6),
        ("semi-esa", "near", "litert", "int8", 9001, 2e6, 19_000, 0.05, 0.8, 0.32, 0.4, 1e6),
        ("semi-esa", "near", "onnx", "int8", 9001, 2e6, 19_000, 0.06, 0.8, 0.2, 0.4, None),
        ("semi-esa", "far", "onnx", "none", 5, None, 300, 0.18, None, 0.01, 0.02, 2e6),
        ("mine", "far", "savedmodel", "none", 5, None, 300, 0.2, None, 0.01, 0.02, 2e6),
    ],
    columns=pd.read_csv(orbit_page.PAGE_DATA / "results.csv", nrows=0).columns,
)
DRIFT = [
    ("mine", "later", "ridge", 0, 0, 0.08, 0.08, None, *[None] * 6),
    ("mine", "later", "ridge", 1, 300, 0.03, 0.08, 0.04, 0.11, 0.05, 0.06, 0.04, 0.045, 0.38),
]


def test_the_page_is_that_of_its_numbers(tmp_path: Path) -> None:
    """Written once more, nothing changes."""
    folder, page = tmp_path / "orbit", tmp_path / "orbit.md"
    shutil.copytree(orbit_page.PAGE_DATA, folder)
    shutil.copyfile(PAGE, page)
    orbit_page.main(folder, page)
    assert page.read_text("utf-8") == PAGE.read_text("utf-8"), "python benchmarks/orbit_page.py"
    named = (orbit_page.PAGE_DATA / "pareto.png").exists()
    assert named == ("](orbit/pareto.png)" in page.read_text("utf-8"))


def test_a_row_a_file_and_those_that_none_beats_in_bold() -> None:
    text = orbit_page.files(FILES)
    assert text.index("`semi-esa`**") < text.index("**mine: `mine`**")
    rows = [line for line in text.splitlines() if "`near`" in line or "`far`" in line]
    # By hand: the float file has as many errors and milliseconds as that of bytes, and is larger.
    assert [row.startswith("| **") for row in rows] == [False, True, True, True, True]
    assert rows[1] == (
        "| **`near`** | litert | int8 | 9,001 | 2,000,000 | 19,000 | 0.0500 | 0.8000 "
        "| 0.32 | 0.4 | 1.0 |"
    )
    assert rows[3].startswith("| **`far`** | onnx | float32 | 5 |  | 300 | 0.1800 |  |")


@pytest.mark.usefixtures("no_pictures", "outlines_read_here")
def test_flights_go_on_and_are_flown_again(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is there is not made twice; without its run a file is flown again, as it is."""
    monkeypatch.setattr(orbit_flights, "KINDS", (("onnx", "none"),))
    monkeypatch.setenv("LLPBENCH_CACHE", str(store.parent))
    runs, path = tmp_path / "runs", tmp_path / "results.csv"
    run = llpbench.run_method("train-mean", store, out=runs / "sweep" / "train-mean")
    orbit_flights.main(runs, path)
    (row,) = pd.read_csv(path).itertuples()
    assert list(pd.read_csv(path)) == list(FILES)
    (file,) = (runs / "files").iterdir()
    assert (row.method, row.quantize, row.bytes) == ("train-mean", "none", file.stat().st_size)
    assert run.scores is not None
    assert row.mae == pytest.approx(run.scores.value("mae"), abs=1e-6)
    monkeypatch.delattr(orbit_flights, "export_run")
    text = path.read_text("utf-8")
    orbit_flights.main(runs, path)
    assert path.read_text("utf-8") == text
    shutil.rmtree(runs / "flown")
    orbit_flights.main(runs, path)
    assert len(list((runs / "flown").iterdir())) == 1
    assert pd.read_csv(path)["bytes"].tolist() == [row.bytes]


def test_ways_of_training_on_board() -> None:
    columns = pd.read_csv(orbit_page.PAGE_DATA / "passes.csv", nrows=0).columns
    row = ("mine", "bag-ridge", 256, 20, 710, 11_308, 402_900, 4.26, 91.2, 0.061, 0.0585, 0.0585)
    text = orbit_page.passes(pd.DataFrame([row], columns=columns))
    assert text.splitlines()[-1] == (
        "| `bag-ridge` | 256 | 20 | 710 | 11,308 | 402,900 | 4.3 | 91 | 0.0610 | 0.0585 | 0.0585 |"
    )
    assert orbit_page.passes(pd.DataFrame(columns=columns)) == orbit_page.NONE_YET


def test_a_further_season_is_told_by_its_last_pass() -> None:
    columns = pd.read_csv(orbit_page.PAGE_DATA / "drift.csv", nrows=0).columns
    text = orbit_page.drift(pd.DataFrame(DRIFT, columns=columns))
    assert text.splitlines()[-1] == (
        "| `ridge` | later | 1 | 300 | 0.1100 | 0.0500 | 0.0600 | 0.0400 | 0.0450 | 38% |"
    )
    assert text.count("`ridge`") == 1
    assert orbit_page.drift(pd.DataFrame(columns=columns)) == orbit_page.NONE_YET


def test_the_picture_shows_every_file_and_names_every_method() -> None:
    figure = orbit_page.draw_pareto(FILES, {"semi-esa": "Real", "none": "Left out", "mine": "Mine"})
    panels = figure.axes
    assert len(panels) == 4
    for axis, (points, names) in zip(
        panels, [(4, ["far", "near"])] * 2 + [(1, ["far"])] * 2, strict=True
    ):
        assert sum(len(line.get_xdata()) == 1 for line in axis.lines) >= points
        assert sorted(text.get_text() for text in axis.texts) == names
    (legend,) = figure.legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == ["float32", "int8", "litert (filled)", "onnx (hollow)", "savedmodel (half)"]


def test_seconds_of_a_link_and_speed_over_ground() -> None:
    # 30 MB are 240 Mbit: 19.2 s of 12.5 Mbit/s, 20 min of 200 kbit/s.
    (images,) = [row for row in orbit_budget.rows() if "red, green" in row[0]]
    assert images[1:] == ["30,000,000", "6.9 h", "20 min", "19 s"]
    # Kepler's third law: an orbit at 400 km takes 92.4 min, in which the ground passes once.
    minutes = 2 * 3.141592653589793 * orbit_budget.RADIUS / orbit_budget.ground_speed(400) / 60
    assert minutes == pytest.approx(92.4, abs=0.1)
    text = PAGE.read_text("utf-8")
    speed = orbit_budget.ground_speed(orbit_budget.ALTITUDE)
    area = speed * orbit_budget.SWATH
    assert f"{speed:.2f} km/s" in text
    assert f"= {area:.0f}$ square kilometres" in text
    assert f"keeps up at {1000 / area:.1f} ms" in text
