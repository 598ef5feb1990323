"""Tables of results for papers, and how things are cited."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from regions import make_region, write_region

import llpbench
from llpbench import catalog
from llpbench.cli import cli
from llpbench.errors import LLPBenchError, UnknownNameError
from llpbench.latex import escape_latex
from llpbench.predictions.table import make_predictions
from llpbench.reporting.results_table import ResultsTable
from llpbench.running.run import run_method
from llpbench.runs.record import read_run
from llpbench.runs.results import pool_seeds
from llpbench.statistics import rank_methods

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")
ROOT = Path(__file__).resolve().parents[1]

BLURS = {"near": (0.10, 0.12), "nearly": (0.11,), "far": (0.7,), "train-mean": (1.0,)}
"""How far methods predict from the truth, a number for each seed."""


def call(*arguments: object) -> str:
    done = CliRunner().invoke(cli, [str(one) for one in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of a run each, on 8 test divisions: one was made, the others are copies of it."""
    folder = tmp_path_factory.mktemp("results")
    write_region(make_region(24, 8, 12, 2), folder / "grid", synthetic=True)
    run_method("train-mean", folder / "grid", out=folder / "made")
    ds = llpbench.open_dataset(folder / "grid")
    part = ds.llp.group().llp.split("test")
    truth, names = part.llp.truth().to_numpy(), part["category_name"].to_numpy()
    noise = np.random.default_rng(0).dirichlet(np.ones(len(names)), (4, len(truth)))
    for (method, blurs), random in zip(BLURS.items(), noise, strict=True):
        for seed, blur in enumerate(blurs):
            place = folder / "runs" / f"{method}-{seed}"
            shutil.copytree(folder / "made", place)
            shares = (1 - blur) * truth + blur * random
            scores = llpbench.evaluate(make_predictions(part["chip"], names, shares), ds)
            (place / "scores.json").write_text(scores.to_json(), "utf-8")
            record = json.loads((place / "run.json").read_text("utf-8"))
            record |= {"method": method, "seed": seed, "is_reference": method == "train-mean"}
            (place / "run.json").write_text(json.dumps(record), "utf-8")
    return folder / "runs"


@pytest.fixture(scope="module")
def table(runs: Path) -> ResultsTable:
    return llpbench.results_table(runs, metrics=["mae", "calibration_slope"])


def test_a_row_is_a_method_and_its_marks_are_those_of_the_ranking(
    runs: Path, table: ResultsTable
) -> None:
    frame = table.frame.set_index(["metric", "method"])
    found = {
        name: pool_seeds([read_run(path) for path in sorted(runs.glob(f"{name}-?"))])
        for name in BLURS
    }
    for name, scores in found.items():
        row, interval = frame.loc[("mae", name)], scores.interval("mae")
        assert (row["value"], row["low"]) == pytest.approx((scores.value("mae"), interval.low))
        assert row["seeds"] == len(BLURS[name])
    errors = frame.loc["mae"]["value"]
    assert errors.is_monotonic_increasing
    assert {"best", "not told apart", ""} == set(frame.loc["mae"]["mark"])
    competing = [name for name in BLURS if name != "train-mean"]
    # all have the same chips, so that sums rank as means do
    sums = [found[name].tallies["errors"][..., :-1].sum(-1, keepdims=True) for name in competing]
    group = rank_methods(sums, lambda summed: summed[..., 0]).group
    best = errors[competing].idxmin()
    for name, number in zip(competing, group, strict=True):
        expected = "best" if name == best else "not told apart" if number == 1 else ""
        assert frame.loc[("mae", name), "mark"] == expected
    assert frame.loc[("mae", "train-mean"), "mark"] == "", "a reference does not compete"
    assert set(frame.loc["calibration_slope"]["mark"]) == {""}, "no value is the better the lower"


def test_a_table_is_written_for_every_place(runs: Path, table: ResultsTable) -> None:
    best = table.frame[table.frame["mark"] == "best"].iloc[0]
    value, interval = f"{best['value']:.4f}", f"[{best['low']:.4f}, {best['high']:.4f}]"
    assert f"| {best['method']} | **{value}** {interval} |" in table.to_markdown()
    assert rf"\textbf{{{value}}} {{\scriptsize {interval}}}" in table.to_latex()
    assert f"<strong>{value}</strong> <small>{interval}</small>" in table._repr_html_()
    for text in (table.to_markdown(), table.to_latex(), table._repr_html_()):
        assert "References that do not compete: train-mean." in text
        assert "Holm's correction" in text.replace("&#x27;", "'")
    options = ("--metric", "mae", "--metric", "calibration_slope")
    assert call("results", runs, *options, "--format", "markdown") == table.to_markdown()
    assert call("results", runs, *options, "--format", "latex") == table.to_latex()
    assert f"{value}* {interval}" in call("results", runs)
    rows = json.loads(call("results", runs, *options, "--json"))
    assert [row["value"] for row in rows] == pytest.approx(table.frame["value"].tolist())


def test_latex_is_well_formed(table: ResultsTable) -> None:
    """Braces and environments are closed, every row has as many cells, and text is escaped."""
    text = table.to_latex()
    assert text.count("{") == text.count("}")
    body = text.partition(r"\midrule")[2].partition(r"\bottomrule")[0].strip().splitlines()
    assert {line.count(" & ") for line in body} == {3}
    assert all(line.endswith(r" \\") for line in body)
    named = replace(table, frame=table.frame.assign(method="[2ex] *"))
    assert "midrule\n{}[2ex] * & " in named.to_latex(), "no length of the break before it"
    hostile = "\\input{/etc/passwd} 50 % of $x_1 & #2 ~^<>|\n\u202e"
    escaped = escape_latex(hostile)
    assert re.sub(r"\\textbackslash\{\}|\\text[a-z]+\{\}|\\[&%$#_]", "", escaped).count("\\") == 0
    assert escaped.startswith(r"\textbackslash{}input\textbraceleft{}/etc")


def test_only_what_competes_is_marked_and_the_nearest_to_a_goal_comes_first(runs: Path) -> None:
    slopes = llpbench.results_table(runs, metrics=["calibration_slope"]).frame["value"]
    assert (slopes - 1).abs().is_monotonic_increasing
    near, far = (read_run(runs / f"{name}-0") for name in ("near", "far"))
    taught = replace(near, record=replace(near.record, supervision="chip"))
    table = llpbench.results_table(taught, far, metrics=["mae"])
    assert table.frame["method"].tolist() == ["near (supervised by chips)", "far"]
    assert set(table.frame["mark"]) == {""}
    assert "the best" not in table.legend(), "what nothing bears is not explained"
    assert "Methods of different tracks or supervision are not compared" in table.legend()


def test_several_datasets_stand_side_by_side(runs: Path, tmp_path: Path) -> None:
    write_region(make_region(12, 6, 4, 3, labels="humanpop"), tmp_path / "people")
    run_method("train-mean", tmp_path / "people", out=tmp_path / "run")
    table = llpbench.results_table(runs / "train-mean-0", tmp_path / "run", metrics=["mae"])
    assert r"\multicolumn{1}{c}{grid (synthetic)} & \multicolumn{1}{c}{people}" in table.to_latex()
    assert "| method | grid (synthetic): MAE ↓ | people: MAE ↓ | seeds |" in table.to_markdown()
    (row,) = table.to_rows()
    assert all(row.values())
    with pytest.raises(UnknownNameError, match="no metric 'nonsense'"):
        llpbench.results_table(runs, metrics=["nonsense"])
    with pytest.raises(LLPBenchError, match="no finished run"):
        llpbench.results_table(tmp_path / "people")


def test_two_settings_are_compared_in_a_sentence(runs: Path) -> None:
    printed = call("compare", runs / "far-0", runs / "near-0")
    first, _blank, headings = printed.splitlines()[:3]
    assert re.fullmatch(
        r"near is better than far on grid \(synthetic\), test split: MAE 0\.\d+ against .*", first
    )
    assert headings.split()[:2] == ["dataset", "split"]
    assert "finding" not in printed
    assert " better than " not in call("compare", runs)


# an entry of BibTeX, as "BibTeX 101" (Patashnik's btxdoc, section 3.1) has it, fields in braces
FIELD = re.compile(r'  ([a-z]+) = \{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\},\n')  # fmt: skip
ENTRY = re.compile(r"@misc\{([A-Za-z0-9.+-]+),\n((?:" + FIELD.pattern + r")+)\}\n")


def parse(text: str) -> dict[str, dict[str, str]]:
    """Entries of BibTeX; nothing may be left between them."""
    assert ENTRY.sub("", text).strip() == ""
    return {
        match[1]: {field[1]: field[2] for field in FIELD.finditer(match[2])}
        for match in ENTRY.finditer(text)
    }


def test_the_folder_that_one_is_in_is_a_run_but_no_new_one(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``.`` ends in no name, beside which leftovers of a killed process could lie."""
    monkeypatch.chdir(runs / "near-0")
    assert "near" in call("compare", ".", "../far-0")
    monkeypatch.chdir(tmp_path)
    command = ["run", "train-mean", "--dataset", str(runs.parent / "grid"), "--out", "."]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 1
    assert "'.' is no name of what is written; give a new one" in str(done.exception)
    assert not list(tmp_path.iterdir())


def test_the_software_is_cited_as_its_citation_file_says() -> None:
    known = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    (entry,) = parse(llpbench.cite("llpbench").bibtex).values()
    assert entry["title"] == f"{{{known['title']}}}"
    assert (entry["version"], entry["author"]) == (known["version"], "{llpbench contributors}")
    assert known["license"] in entry["howpublished"]
    article = known["references"][0]
    paper = parse(llpbench.cite("downconv").bibtex)["arxiv-2306.12461"]
    names = [f"{one['family-names']}, {one['given-names']}" for one in article["authors"]]
    assert paper["author"] == " and ".join(names)
    assert (paper["title"], paper["year"]) == (f"{{{article['title']}}}", str(article["year"]))
    assert paper["url"] == article["url"]


@pytest.mark.parametrize("name", [*catalog.load().datasets, "bag-ridge+rake", "llpnet", "goodman"])
def test_what_is_cited_is_bibtex(name: str) -> None:
    printed = call("cite", name)
    said, _blank, bibtex = printed.partition("\n\n")
    entries = parse(bibtex)
    assert "llpbench" in entries
    assert all({"title", "year"} <= set(entry) for entry in entries.values())
    if name.startswith("demo"):
        assert "Licence of the labels: CC0-1.0" in said
        assert entries[name]["author"] == "{llpbench contributors}"
        assert "CC-BY" not in printed
    elif name in catalog.load().datasets:
        assert entries[name]["doi"] == catalog.dataset(name).doi
        assert "arxiv-2306.12461" in entries


def test_a_dataset_of_anybody_is_cited_without_invented_authors(tmp_path: Path) -> None:
    facts = {"title": "A {b} \\c", "attribution": "x} @misc{y,", "licence": "CC0-1.0"}
    write_region(make_region(6, 3, 2, 1), tmp_path / "grid", doi="10.1/}x{ y", **facts)
    (entry, _software) = parse(llpbench.cite(str(tmp_path / "grid")).bibtex).values()
    assert "author" not in entry
    assert "year" not in entry
    assert entry["doi"] == "10.1/xy"
    assert entry["title"] == r"{A \textbraceleft{}b\textbraceright{} \textbackslash{}c}"
    with pytest.raises(UnknownNameError, match="no dataset or method 'nonsense'"):
        llpbench.cite("nonsense")
