"""A challenge from its dataset to its end: what is handed out, shown and told, and when."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from challenge_ladder import ATTACKS, Scorer, fitted
from click.testing import CliRunner
from regions import make_region, write_region

import llpbench
from llpbench.challenge.folder import ChallengeFolder
from llpbench.challenge.halves import draw_halves
from llpbench.challenge.inbox import score_inbox
from llpbench.challenge.judging import judge, judge_apart
from llpbench.challenge.ladder import Ladder, paired_difference
from llpbench.challenge.ledger import Ledger
from llpbench.challenge.making import new_challenge
from llpbench.challenge.marks import Half, Marks
from llpbench.challenge.standing import Submitted, standings
from llpbench.cli import cli
from llpbench.errors import ChallengeError, LLPBenchError, PredictionsError
from llpbench.running.run import run_method

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")

PAGE = Path(__file__).resolve().parents[1] / "docs" / "howto" / "challenge.md"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighteen divisions of six chips on both sides of borders, some without a label."""
    path = tmp_path_factory.mktemp("full") / "mine"
    write_region(make_region(12, 9, 6, 3, outside=1, unlabelled=3), path, source="zenodo.zip")
    return path


@pytest.fixture(scope="module")
def made(full: Path, tmp_path_factory: pytest.TempPathFactory) -> ChallengeFolder:
    return new_challenge(full, tmp_path_factory.mktemp("made") / "land", seed=5)


@pytest.fixture
def folder(made: ChallengeFolder, tmp_path: Path) -> ChallengeFolder:
    """A copy that a test may score on."""
    shutil.copytree(made.path, tmp_path / "land")
    return ChallengeFolder(tmp_path / "land")


def predictions(folder: ChallengeFolder, noise: float, seed: int = 0) -> pd.DataFrame:
    """The truth and noise, as a table."""
    part = folder.truth().llp.split("test")
    truth = np.nan_to_num(part["truth"].to_numpy(), nan=0.2)
    shares = np.abs(truth + np.random.default_rng(seed).normal(0, noise, truth.shape))
    shares = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    table = pd.DataFrame(shares, columns=part["category_name"].to_numpy())
    table.insert(0, "chip", part["chip"].to_numpy())
    return table


def call(*arguments: Any) -> str:
    done = CliRunner().invoke(cli, list(map(str, arguments)))
    if isinstance(done.exception, LLPBenchError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def everything(store: Path) -> xr.Dataset:
    return llpbench.open_dataset(store).load()


def test_nothing_that_is_handed_out_tells_of_the_truth(full: Path, made: ChallengeFolder) -> None:
    """Every array and every byte: values of test chips, of their divisions, and of digests."""
    known, handed = everything(full), everything(made.participants)
    is_test = known["split"].to_numpy() == "test"
    owned = np.isin(known["division"], known["own_division"].to_numpy()[~is_test])
    assert (handed["label"].to_numpy()[is_test] == 255).all()
    for name in ("chip_proportions", "target"):
        hidden = handed[name].to_numpy()[is_test]
        secret = known[name].to_numpy()[is_test]
        assert not np.isclose(hidden, secret, atol=1e-3).all(axis=1).any(), name
    assert np.isnan(handed["chip_proportions"].to_numpy()[is_test]).all()
    assert np.isnan(handed["division_proportions"].to_numpy()[~owned]).all()

    # what is not secret is all there, and border chips are trained on what train knows
    for name in ("image", "overlap_area", "bounds", "own_division", "split"):
        np.testing.assert_array_equal(handed[name], known[name])
    np.testing.assert_array_equal(handed["label"][~is_test], known["label"][~is_test])
    for split in ("train", "val"):
        one, other = (ds.llp.split(split)["target"] for ds in (known, handed))
        np.testing.assert_allclose(one, other, atol=1e-7)
    border = np.abs(handed["target"] - known["target"]).to_numpy()[~is_test].max(axis=1) > 1e-3
    assert border.any(), "some train chips reach into test divisions, whose shares are left out"

    shares = known["division_proportions"].to_numpy()[~owned]
    numbers = [shares, known["chip_proportions"].to_numpy()[is_test]]
    rows = [row for table in numbers for row in table if np.isfinite(row).all()]
    secrets = [row.astype(kind).tobytes() for row in rows for kind in ("f4", "f8")]
    secrets += [known.llp.info.digest[7:].encode(), b"zenodo"]
    arrays = [handed[name].to_numpy() for name in handed.variables]
    contents = [array.tobytes() for array in arrays if array.dtype.kind in "fiu"]
    contents += [file.read_bytes() for file in made.participants.rglob("*") if file.is_file()]
    for content in (*contents, made.rules_file.read_bytes()):
        assert not any(secret in content for secret in secrets)
    assert handed.llp.info.name == known.llp.info.name
    assert call("verify", made.participants)


def test_what_stays_is_for_one_user(made: ChallengeFolder) -> None:
    assert stat.S_IMODE(made.private.stat().st_mode) == 0o700
    for file in made.private.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_the_disaggregation_track_hands_out_shares_and_no_labels(
    full: Path, tmp_path: Path
) -> None:
    made = new_challenge(full, tmp_path / "land", tracks=["disaggregation"], seed=5)
    known, handed = everything(full), everything(made.participants)
    np.testing.assert_array_equal(known["division_proportions"], handed["division_proportions"])
    test = known["split"] == "test"
    assert (handed["label"][test.to_numpy()] == 255).all()
    assert handed["chip_proportions"][test.to_numpy()].isnull().all()


def test_halves_are_whole_divisions_of_equal_size_and_follow_from_the_secret_alone() -> None:
    random = np.random.default_rng(1)
    chips = random.integers(5, 60, 31)
    divisions = [f"d{n}" for n in range(31)]
    halves = [draw_halves(divisions, chips.tolist(), 0.5, seed) for seed in (1, 1, 2)]
    assert halves[0] == halves[1] != halves[2]
    for each in halves:
        assert sorted((*each.public, *each.private)) == sorted(divisions)
        public = chips[np.isin(divisions, each.public)].sum()
        assert abs(public - chips.sum() / 2) <= 2
    third = draw_halves(divisions, chips.tolist(), 1 / 3, 1)
    assert abs(chips[np.isin(divisions, third.public)].sum() - chips.sum() / 3) <= 3
    with pytest.raises(ChallengeError, match="at least 4 divisions"):
        draw_halves(["a", "b", "c"], [1, 2, 3], 0.5, 1)


def test_marks_are_those_of_evaluate_on_the_full_dataset(
    full: Path, folder: ChallengeFolder, tmp_path: Path
) -> None:
    file = tmp_path / "a.csv"
    predictions(folder, 0.1).to_csv(file, index=False)
    marks = judge(folder, file, "inductive")
    assert judge_apart(folder, file, "inductive") == marks == Marks.from_json(marks.to_json())
    scores = llpbench.evaluate(file, full)
    weights = [sum(half.chips) for half in (marks.public, marks.private)]
    both = np.average([marks.public.mae, marks.private.mae], weights=weights)
    assert both == pytest.approx(scores.value("mae"), abs=1e-12)
    ids = [*folder.halves().public, *folder.halves().private]
    errors = scores.per_division["mae"].loc[ids].to_numpy()
    found = [
        e / n for half in (marks.public, marks.private) for e, n in zip(*half.arrays(), strict=True)
    ]
    np.testing.assert_allclose(found, errors, atol=1e-12)


def test_what_takes_too_much_is_ended_and_told_in_a_sentence(
    folder: ChallengeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("resource")
    program = "from llpbench.apart import bound; bound({}, 1)\n{}"
    for memory, act in ((2**31, "while True: pass"), (2**28, "bytearray(2**29)")):
        done = subprocess.run(
            [sys.executable, "-c", program.format(memory, act)], capture_output=True
        )
        assert done.returncode != 0
        # by seconds computed, of which systems tell in two ways, or gone by
        ended = (-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGALRM)
        assert done.returncode in ended or b"MemoryError" in done.stderr
    file = tmp_path / "a.csv"
    predictions(folder, 0.1).to_csv(file, index=False)
    monkeypatch.setattr("llpbench.challenge.judging.run_apart", lambda *_: None)
    with pytest.raises(PredictionsError, match=r"a\.csv takes more than 120 seconds or 4 GB"):
        judge_apart(folder, file, "inductive")
    (tmp_path / "large.csv").write_bytes(bytes(2**24 + 1))
    with pytest.raises(PredictionsError, match="16,777,217 bytes, at most 16,777,216"):
        judge(folder, tmp_path / "large.csv", "inductive")


def half(errors: Any, chips: int = 10) -> Half:
    return Half.of(np.asarray(errors) * chips, np.full(len(errors), chips))


def test_the_ladder_moves_by_steps_that_are_sure() -> None:
    """The standard error is that of a mean of equal divisions: s / sqrt(G)."""
    random = np.random.default_rng(0)
    before, now = random.uniform(0.04, 0.06, (2, 12))
    gain, error = paired_difference(half(before), half(now))
    falls = before - now
    assert (gain, error) == pytest.approx((falls.mean(), falls.std(ddof=1) / 12**0.5))

    def marks(errors: Any) -> Marks:
        return Marks("", "inductive", half(errors), half(errors))

    first = Ladder().after(marks(before))
    sure, unsure = np.array([0.01] * 12), np.array([0.012, *[0] * 11])
    assert first.after(marks(before + sure)) == first, "what is worse"
    assert first.after(marks(before - 0.0004)) == first, "less than a hundredth"
    assert first.after(marks(before - unsure)) == first, "one division alone"
    better = first.after(marks(before - sure))
    assert better.score == pytest.approx(before.mean() - 0.01, abs=3e-4)
    assert len(str(better.score)) <= 6, "rounded"
    assert better.kept == marks(before - sure)


@pytest.mark.parametrize("submissions", [300, pytest.param(2000, marks=pytest.mark.full)])
@pytest.mark.parametrize("name", ATTACKS)
def test_adaptive_submissions_fit_exact_scores_and_not_the_ladder(
    name: str, submissions: int
) -> None:
    random = np.random.default_rng(2)
    truth = random.dirichlet(np.full(4, 0.5), 360)
    division = np.repeat([f"d{n:02d}" for n in range(30)], 12)
    start = (
        truth
        + random.normal(0, 0.05, truth.shape)
        + 0.04 * random.normal(0, 1, (30, 4))[np.repeat(np.arange(30), 12)]
    )
    start = np.clip(start, 1e-6, None)
    start /= start.sum(axis=1, keepdims=True)
    gains = {}
    for shown in ("exact", "Ladder"):
        scorer = Scorer(truth, division, np.arange(30) % 2 == 0, shown)
        gains[shown] = fitted(scorer, ATTACKS[name], start, submissions, 0)["fitted"]
    assert gains["Ladder"] < 0.001
    assert gains["exact"] > 0.003


@pytest.fixture
def _judged_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a process for each file, which takes longer to start than to judge."""
    monkeypatch.setattr("llpbench.challenge.inbox.judge_apart", judge)


def board(folder: ChallengeFolder) -> str:
    text = "".join(path.read_text("utf-8") for path in sorted(folder.board.iterdir()))
    return re.sub(r"<style>.*?</style>", "", text, flags=re.S)


def numbers(text: str) -> set[float]:
    return {float(number) for number in re.findall(r"\d*\.\d+", text)}


def close(folder: ChallengeFolder) -> None:
    text = folder.rules_file.read_text()
    past = (datetime.now(UTC) - timedelta(1)).isoformat()
    text = re.sub(r"opens = .*", "opens = 2020-01-01T00:00:00Z", text)
    folder.rules_file.write_text(re.sub(r"closes = .*", f"closes = {past}", text))


@pytest.mark.usefixtures("_judged_here")
def test_from_the_inbox_to_the_reveal(folder: ChallengeFolder, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    (inbox / "b").mkdir(parents=True)
    first, second = predictions(folder, 0.2, 1), predictions(folder, 0.02, 2)
    first.to_csv(inbox / "a.csv.gz", index=False)
    first.to_csv(inbox / "b/1.csv", index=False)
    for number in range(1, 8):  # each a little better than the last, which no step is
        table = first.copy()
        table.iloc[:number, 1:] = second.iloc[:number, 1:]
        table.to_csv(inbox / f"b/{number + 1}.csv", index=False)
    (inbox / "c").mkdir()
    second.to_parquet(inbox / "c/predictions.parquet")
    (inbox / "d.csv").write_text("chip,tree\n1,2\n")
    (inbox / "e.csv").symlink_to(folder.truth_file)
    (inbox / "<script>.csv").write_text("")
    found = json.loads(call("challenge", "score", inbox, "-c", folder.path, "--json"))
    states = [(one["team"], one["state"]) for one in found]
    assert states.count(("b", "scored")) == 5, "so many a day"
    assert states.count(("b", "waits")) == 3
    assert {one["shown"] for one in found if one["team"] == "b" and one["shown"]} == {
        found[1]["shown"] or found[2]["shown"]
    }
    problems = [one["problem"] for one in found if one["state"] == "wrong"]
    expected = ("is no name of a team", "must name each chip once", "is a link")
    assert all(what in problem for what, problem in zip(expected, problems, strict=True))

    again = json.loads(call("challenge", "score", inbox, "-c", folder.path, "--json"))
    assert {one["state"] for one in again} == {"before", "wrong", "waits"}

    records = [record for record in Ledger(folder).records if record.marks]
    marks = [Marks.from_json(record.marks or "") for record in records]
    exact = {
        each
        for one in marks
        for side in (one.public, one.private)
        for each in (side.mae, *np.divide(side.errors, side.chips))
    }
    said = board(folder) + json.dumps([{**one, "problem": ""} for one in found])
    assert numbers(said) <= {one.score for one in (Ladder.of([m]) for m in marks)}
    assert not any(abs(shown - value) < 1e-7 for shown in numbers(said) for value in exact)
    assert "<script>" not in board(folder)

    with pytest.raises(ChallengeError, match="closes on"):
        call("challenge", "reveal", "-c", folder.path)
    close(folder)
    call("challenge", "reveal", "-c", folder.path)
    table = pd.read_csv(folder.board / "standings.csv", index_col="team")
    assert table.index.tolist()[0] == "c"
    assert table.loc["c", "private"] == pytest.approx(marks[-1].private.mae, abs=1e-12)
    assert (table["moved"] == table["rank"] - table["final_rank"]).all()
    assert "data:image/png" in board(folder)
    with pytest.raises(ChallengeError, match="was revealed"):
        score_inbox(folder, inbox)
    before = board(folder)
    call("challenge", "reveal", "-c", folder.path)
    assert (folder.board / "standings.csv").read_text() in before


def test_a_damaged_challenge_is_no_fault_of_a_team(folder: ChallengeFolder, tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    predictions(folder, 0.1).to_csv(tmp_path / "inbox/a.csv", index=False)
    score = ("challenge", "score", tmp_path / "inbox", "-c", folder.path, "--json")
    truth = folder.truth_file.read_bytes()
    folder.truth_file.write_bytes(truth[:-9])
    with pytest.raises(ChallengeError, match="is no truth table"):
        call(*score)
    folder.truth_file.write_bytes(truth)
    assert [one["state"] for one in json.loads(call(*score))] == ["scored"]


@pytest.mark.parametrize("kills", [1, pytest.param(12, marks=pytest.mark.full)])
def test_a_killed_scoring_goes_on_and_judges_nothing_twice(
    folder: ChallengeFolder, tmp_path: Path, kills: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed as soon as something was noted; what is noted has each file once, in order."""
    inbox, random = tmp_path / "inbox", np.random.default_rng(0)
    inbox.mkdir()
    for number in range(kills + 2):
        predictions(folder, 0.1, number).to_csv(inbox / f"team{number}.csv", index=False)
    command = [sys.executable, "-m", "llpbench", "challenge", "score", inbox, "-c", folder.path]
    for _kill in range(kills):
        before = len(Ledger(folder).records)
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(list(folder.private.glob("scored/*.json"))) == before and running.poll() is None:
            time.sleep(0.01)
        time.sleep(random.uniform(0, 0.5))
        running.send_signal(signal.SIGKILL)
        running.wait()
    monkeypatch.setattr("llpbench.challenge.inbox.judge_apart", judge)
    judged = score_inbox(folder, inbox)
    assert {one.state for one in judged} <= {"scored", "before"}
    assert "before" in {one.state for one in judged}
    records = Ledger(folder).records
    assert [one.number for one in records] == list(range(1, kills + 3))
    assert len({(one.team, one.file) for one in records}) == kills + 2
    assert len(pd.read_csv(folder.board / "standings.csv")) == kills + 2


def test_what_a_killed_writer_left_is_no_record(folder: ChallengeFolder) -> None:
    left = folder.private / "scored" / ".000001.part.json"
    left.parent.mkdir(exist_ok=True)
    left.write_text("{")
    known = len(list(left.parent.glob("0*.json")))
    assert len(Ledger(folder).records) == known
    left.unlink()


def test_standings_before_and_after() -> None:
    def sent(team: str, public: float, private: float) -> Submitted:
        return Submitted(team, Marks("", "inductive", half([public] * 4), half([private] * 4)))

    sent_in = [sent("z", 0.05, 0.07), sent("a", 0.05, 0.05), sent("fit", 0.02, 0.09)]
    shown = standings(sent_in, "inductive")
    assert [(row.team, row.rank) for row in shown] == [("fit", 1), ("a", 2), ("z", 2)]
    assert {(row.public, row.private, row.final_rank) for row in shown} == {(None,) * 3}
    hidden = standings(sent_in, "inductive", shown=False)
    assert [(row.team, row.rank, row.score) for row in hidden] == [
        (team, None, None) for team in ("a", "fit", "z")
    ]
    final = standings(sent_in, "inductive", revealed=True)
    assert [(row.team, row.moved) for row in final] == [("a", 1), ("z", 0), ("fit", -2)]
    assert standings(sent_in, "cross-region") == []


@pytest.mark.usefixtures("_judged_here")
def test_entries_of_runs_without_scores_and_a_board_that_tells_no_truth(
    full: Path, folder: ChallengeFolder, tmp_path: Path
) -> None:
    run = run_method("train-mean", folder.participants, out=tmp_path / "run")
    assert not run.is_scored
    site = tmp_path / "board"
    call(
        "leaderboard",
        "new",
        tmp_path / "us__mean",
        "--from-run",
        run.folder,
        "--one-seed",
        "--author",
        "A",
        "--contact",
        "a@b.org",
    )
    other = shutil.copytree(run.folder, tmp_path / "other")
    record = json.loads((other / "run.json").read_text())
    changed = {**record, "dataset_digest": llpbench.open_dataset(full).llp.info.digest, "seed": 1}
    (other / "run.json").write_text(json.dumps(changed))
    both = ("--from-run", run.folder, "--from-run", other)
    with pytest.raises(LLPBenchError, match="versions of 'mine'"):
        call("leaderboard", "new", tmp_path / "us__two", *both)
    call("leaderboard", "truth", full, "--board", site)
    shutil.copytree(tmp_path / "us__mean", site / "entries/us__mean")
    with pytest.raises(LLPBenchError, match="us__mean: the predictions are about mine with the"):
        call("leaderboard", "score", "--board", site)
    call("leaderboard", "truth", folder.path, "--board", site)
    call("leaderboard", "score", "--board", site)
    call("leaderboard", "build", "--board", site, "--hide-truth")
    hidden = (site / "site/index.html").read_text("utf-8")
    assert "Test labels are kept back" in hidden

    result = json.loads((site / "results/mine/us__mean.json").read_text())
    by_class = [v for metric in result["metrics"].values() for v in metric["per_class"].values()]
    secrets = [*np.ravel(result["errors"]), *by_class, *result["seeds"].values()]
    whole = {m[k] for m in result["metrics"].values() for k in ("value", "low", "high")}
    shown = numbers(hidden)
    assert not (set(secrets) - whole) & shown
    assert "data:image/png" not in hidden
    call("leaderboard", "build", "--board", site)
    told = (site / "site/index.html").read_text("utf-8")
    assert (set(secrets) - whole) & numbers(told)
    assert "Test labels are public: this page shows some of them." in told


def test_codabench_runs_the_bundle_and_gets_the_same_numbers(
    folder: ChallengeFolder, tmp_path: Path
) -> None:
    """As its worker does: /app/program, /app/input/ref, /app/input/res, /app/output."""
    import yaml

    call("challenge", "export", folder.path, "--to", "codabench", "-o", tmp_path / "land.zip")
    shutil.unpack_archive(tmp_path / "land.zip", tmp_path / "bundle")
    bundle = tmp_path / "bundle"
    competition = yaml.safe_load((bundle / "competition.yaml").read_text())
    assert competition["version"] == 2
    named = [competition["image"], competition["terms"], *(p["file"] for p in competition["pages"])]
    named += [
        task[part]
        for task in competition["tasks"]
        for part in ("scoring_program", "reference_data")
    ]
    named += [phase["starting_kit"] for phase in competition["phases"]]
    assert all((bundle / name).exists() for name in named)
    assert competition["phases"][0]["end"] == competition["phases"][1]["start"]
    file = tmp_path / "a.csv"
    predictions(folder, 0.1).sample(frac=1, random_state=0).to_csv(file, index=False)
    marks = judge(folder, file, "inductive")

    def score(task: dict[str, Any], submitted: str) -> subprocess.CompletedProcess[str]:
        app = tmp_path / "app"
        shutil.rmtree(app, ignore_errors=True)
        shutil.copytree(bundle / task["scoring_program"], app / "program")
        shutil.copytree(bundle / task["reference_data"], app / "input/ref")
        (app / "input/res").mkdir()
        (app / "output").mkdir()
        (app / "input/res/predictions.csv").write_text(submitted)
        command = yaml.safe_load((app / "program/metadata.yaml").read_text())["command"]
        words = [word.replace("/app", str(app)) for word in shlex.split(command)]
        return subprocess.run([sys.executable, "-I", *words[1:]], capture_output=True, text=True)

    public, private = competition["tasks"]
    for task, expected in ((public, Ladder.of([marks]).score), (private, marks.private.mae)):
        assert score(task, file.read_text()).returncode == 0
        (value,) = json.loads((tmp_path / "app/output/scores.json").read_text()).values()
        assert value == pytest.approx(expected, abs=1e-12)
    for text in (
        "",
        "chip\n",
        "\0",
        file.read_text().replace("0.", "x.", 1),
        "\n".join(file.read_text().splitlines()[:-1]),
    ):
        done = score(public, text)
        assert done.returncode == 1
        assert done.stderr.startswith("This submission cannot be scored: ")
        assert "Traceback" not in done.stderr
    secret = json.loads((bundle / "reference_public/reference.json").read_text())["truth"]
    part = folder.truth().llp.split("test")
    owners = part["own_division"].sel(chip=list(secret)).to_numpy()
    assert set(owners) <= set(folder.halves().public)


@pytest.mark.usefixtures("_judged_here")
def test_the_page_for_organisers_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a region written in the place of the one that the page builds of rasters."""
    monkeypatch.chdir(tmp_path)
    write_region(make_region(12, 9, 6, 3), tmp_path / "cache/mine")
    blocks = re.findall(r"^```console\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    commands = [line[2:] for block in blocks for line in block.splitlines()]
    assert sum(line.startswith("llpbench") for line in commands) == 10
    for line in commands:
        if "challenge reveal" in line:
            close(ChallengeFolder(Path("land-2027")))
        if not line.startswith("llpbench"):
            subprocess.run(shlex.split(line), check=True)
        elif not line.startswith("llpbench build"):
            call(*shlex.split(line)[1:])
    assert pd.read_csv("land-2027/board/standings.csv")["team"].tolist() == ["tartu"]
    assert Path("board/site/index.html").exists()
    assert Path("codabench.zip").exists()
