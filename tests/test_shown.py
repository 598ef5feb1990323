"""What people see of results in a console and in a notebook: short, readable, honest."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import xarray as xr
from regions import make_region, write_region

import llpbench
from llpbench import catalog
from llpbench.data.appearance import Appearance
from llpbench.data.divisions import Divisions
from llpbench.methods.registry import describe_method
from llpbench.predictions.table import make_predictions
from llpbench.running.run import run_method
from llpbench.runs.record import Run
from llpbench.runs.results import find_results
from llpbench.scoring import DivisionScores, Scores, score_divisions
from llpbench.scoring.comparison import Comparison
from llpbench.scoring.measures import BY_NAME
from llpbench.statistics import division_interval, rank_methods, ratios, sign_flip_test

if TYPE_CHECKING:
    from browsing import Visitor

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")

SPOILT = "<b>a|b</b>\u202e"
"""A name that no page may take for its own."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shown")


@pytest.fixture(scope="module")
def ds(folder: Path) -> xr.Dataset:
    write_region(make_region(18, 9, 6, 3), folder / "grid", synthetic=True)
    return llpbench.open_dataset(folder / "grid")


@pytest.fixture(scope="module")
def run(ds: xr.Dataset, folder: Path) -> Run:
    return run_method("train-mean", folder / "grid", out=folder / "run")


def predict(ds: xr.Dataset, blur: float, **attributes: str) -> xr.Dataset:
    """Shares of the test chips, so far from the truth."""
    part = ds.llp.group().llp.split("test")
    shares = (1 - blur) * part.llp.truth().to_numpy() + blur / part.sizes["category"]
    names = part["category_name"].to_numpy()
    return make_predictions(part["chip"], names, shares).assign_attrs(attributes)


@pytest.fixture(scope="module")
def scores(ds: xr.Dataset) -> dict[str, Scores]:
    seen = {"near": 0.1, "far": 0.8, SPOILT: 0.101}
    return {name: llpbench.evaluate(predict(ds, b, method=name), ds) for name, b in seen.items()}


@pytest.fixture(scope="module")
def division_scores(ds: xr.Dataset) -> DivisionScores:
    return score_divisions(predict(ds, 0.5, method="far"), ds.llp.group().llp.split("test"))


SUMS = np.random.default_rng(0).random((2, 30, 4)) + 1

PLAIN: Mapping[str, Callable[[], Any]] = {
    "Catalog": catalog.load,
    "DatasetEntry": lambda: catalog.dataset("benelux-humanpop"),
    "LabelSet": lambda: catalog.label_set("humanpop"),
    "MethodInfo": lambda: describe_method("resnet18unet+emq+rake"),
    "Interval": lambda: division_interval(SUMS[0], ratios),
    "PermutationTest": lambda: sign_flip_test(*SUMS, ratios, draws=50),
    "Ranking": lambda: rank_methods(list(SUMS), draws=50),
    "Citation": lambda: llpbench.cite("downconv"),
}


def shown_in_a_line(thing: Any) -> None:
    text = repr(thing)
    assert "\n" not in text
    assert len(text) <= 300, text
    assert "array(" not in text


@pytest.mark.parametrize("name", PLAIN)
def test_plain_results_are_shown_in_a_line(name: str) -> None:
    thing = PLAIN[name]()
    assert name in repr(thing)
    shown_in_a_line(thing)


def test_all_that_a_run_leaves_is_shown_in_a_line(
    ds: xr.Dataset, run: Run, scores: dict[str, Scores], division_scores: DivisionScores
) -> None:
    assert run.scores is not None
    grouped = ds.llp.group()
    for thing in (
        *(ds.llp, ds.llp.info, ds.llp.hardness(), Divisions.of(grouped)),
        *(run, run.record, run.scores, run.divisions, find_results([run.folder])[0]),
        *(scores["near"], scores["near"].score("mae"), scores["near"].first_seed()),
        *(scores[SPOILT].compare(scores["far"]), division_scores),
        *(division_scores.compare(division_scores), llpbench.results_table(run)),
        Appearance.of(ds["image"].to_numpy()),
    ):
        shown_in_a_line(thing)


def test_a_comparison_says_who_is_better_and_by_how_much(scores: dict[str, Scores]) -> None:
    """Numbers from both scores; the direction from where predictions were put."""
    near, far = scores["near"], scores["far"]
    errors = near.value("mae"), far.value("mae")
    less = f"{errors[1] - errors[0]:.4f} or {100 * (1 - errors[0] / errors[1]):.0f} % lower"
    for compared in (near.compare(far), far.compare(near)):
        assert compared.better == "near"
        assert str(compared).startswith(
            f"near is better than far on grid (synthetic), test split: MAE {errors[0]:.4f} against "
            f"{errors[1]:.4f}, {less}. "
        )
        interval = f"95 % interval {compared.low:.4f} to {compared.high:.4f}"
        minus = f"{compared.first} minus {compared.second} {compared.difference:.4f}"
        assert f"{minus}, {interval}, p = 0.031, 6 divisions. Caution: only 6" in str(compared)
    assert near.compare(far, "r2").better == near.compare(far, "overlap").better == "near"
    assert "higher" in near.compare(far, "r2").finding


@pytest.mark.parametrize(
    ("values", "p_value", "metric", "better", "said"),
    [
        ((0.2, 0.1), 0.05, "mae", None, "are not told apart"),
        ((0.2, 0.1), 0.049, "mae", "b", "b is better than a: MAE 0.1000 against 0.2000"),
        ((0.2, 0.1), 0.01, "skill", "a", "0.1000 or 100 % higher"),
        ((-0.2, 0.1), 0.01, "skill", "b", "0.3000 higher"),
        ((0.9, 1.3), 0.01, "calibration_slope", None, "differ, on either side of 1"),
        ((1.1, 1.3), 0.01, "calibration_slope", "a", "a is better than b"),
        ((-0.02, -0.01), 0.01, "calibration_intercept", "b", "b is better than a"),
        ((0.7, 0.88), 0.01, "coverage_90", "b", "b is better than a"),
        ((0.1, 0.10001), 0.01, "mae", "a", "against 0.1000, less than 0.0001 lower. "),
        ((0.1, float("nan")), 0.01, "mae", None, "cannot be compared"),
        ((0.1, 0.1), 1.0, "mae", None, "are not told apart: MAE 0.1000 against 0.1000"),
        ((float("nan"), 0.1), float("nan"), "r2", None, "cannot be compared: R² has no value"),
    ],
)
def test_better_is_what_the_metric_says(
    values: tuple[float, float], p_value: float, metric: str, better: str | None, said: str
) -> None:
    numbers = {"difference": values[0] - values[1], "low": np.nan, "high": np.nan}
    names = {"measure": BY_NAME[metric], "first": "a", "second": "b", "values": values}
    compared = Comparison(**names, **numbers, p_value=p_value, divisions=4, note="")
    assert compared.better == better
    assert said in str(compared)
    assert "equal" not in str(compared)
    assert "no interval" in str(compared)


def test_scores_explain_themselves(scores: dict[str, Scores]) -> None:
    page = scores["near"]._repr_html_()
    mae = scores["near"].score("mae")
    for text in (BY_NAME["mae"].definition, "MAE ↓", "→ 1", f"{mae.value:.4f}"):
        assert text in page
    assert f"{mae.low:.4f} to {mae.high:.4f}" in page


def pages(ds: xr.Dataset, run: Run, scores: dict[str, Scores], of: DivisionScores) -> list[str]:
    spoilt = scores[SPOILT]
    hostile = replace(catalog.label_set("humanpop"), title=SPOILT.strip("\u202e"))
    renamed = ds.assign_attrs(replace(ds.llp.info, title=SPOILT, label_set=hostile).attributes())
    frame = llpbench.results_table(run)
    named = replace(frame, frame=frame.frame.assign(method=SPOILT, mark="not told apart"))
    return [
        renamed.llp._repr_html_(),
        replace(ds.llp.hardness(), dataset=SPOILT)._repr_html_(),
        spoilt._repr_html_(),
        replace(of, attributes={"method": SPOILT})._repr_html_(),
        spoilt.compare(scores["far"])._repr_html_(),
        replace(llpbench.cite("bag-ridge"), bibtex=SPOILT)._repr_html_(),
        named._repr_html_(),
    ]


def test_names_are_no_markup(
    ds: xr.Dataset, run: Run, scores: dict[str, Scores], division_scores: DivisionScores
) -> None:
    for page in pages(ds, run, scores, division_scores):
        assert "<b>" not in page
        assert "&lt;b&gt;a|b&lt;/b&gt;\\u202e" in page, "nor does it turn the text after it"
    spoilt, of = scores[SPOILT], replace(division_scores, attributes={"method": SPOILT + "\x1b\n"})
    renamed = ds.assign_attrs(name=SPOILT + "\n")
    for shown in (spoilt, of, spoilt.compare(scores["far"]), renamed.llp, llpbench.cite("llpnet")):
        for text in (repr(shown), *([str(shown)] if shown is of else [])):
            assert text.isprintable(), "in one line, and nothing that a terminal obeys"


def _theme() -> str:
    """The style sheet of the documentation's theme, which gives notebooks a light ground."""
    found = find_spec("pydata_sphinx_theme")
    if found is None or found.origin is None:
        return ""
    (sheet,) = Path(found.origin).parent.rglob("pydata-sphinx-theme.css")
    return sheet.read_text("utf-8")


GROUNDS = {
    # ink and ground of a notebook in Visual Studio Code; JupyterLab shades the rows of tables
    "light": "body { background: #ffffff; color: #3b3b3b }",
    "dark": "body { background: #1f1f1f; color: #cccccc } td, tr { background: #111111 }",
    "documentation dark": None,
}


def test_notebooks_can_be_read_in_light_and_dark(
    ds: xr.Dataset,
    run: Run,
    scores: dict[str, Scores],
    division_scores: DivisionScores,
    tmp_path: Path,
    visitor: Visitor,
) -> None:
    """At least 4.5 to 1, as axe-core measures it, in editors and under the theme's own rules."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    long = replace(scores["near"], attributes={"method": "W" * 300})
    cards = [*pages(ds, run, scores, division_scores), long.compare(scores["far"])._repr_html_()]
    shown = "".join(
        f'<div class="cell_output"><div class="output text_html">{page}</div></div>'
        for page in cards
    )
    for name, rules in GROUNDS.items():
        scheme = name.split()[-1]
        file = tmp_path / f"{name}.html"
        file.write_text(
            f'<!doctype html><html lang="en" data-theme="{scheme}"><meta charset="utf-8">'
            f"<title>a</title><style>{_theme() if rules is None else rules}</style>"
            f'<body><main class="bd-content">{shown}</main></body></html>',
            "utf-8",
        )
        page = visitor.open(file, color_scheme=scheme)
        found = axe.run(page, options={"runOnly": ["color-contrast"]}).response
        bad = [node["html"] for rule in found["violations"] for node in rule["nodes"]]
        assert not bad, (name, bad[:3])
        wide, room = page.evaluate(
            "[document.body.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= room, "long names are broken"
        assert sum(len(rule["nodes"]) for rule in found["passes"]) > 100
        assert not re.search(r"color: (?!inherit)", shown.replace("currentColor", "inherit"))
