"""Predictions of a team become marks: here, or in a process of its own that can be killed."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import numpy as np

from llpbench.apart import one_thread, run_apart
from llpbench.challenge.folder import ChallengeFolder
from llpbench.challenge.marks import Half, Marks
from llpbench.challenge.rules import Rules
from llpbench.errors import ChallengeError, PredictionsError, examples
from llpbench.scoring import digest_predictions
from llpbench.scoring.evaluation import read_checked, score_checked

SAID = "said.json"
"""The file in which the process says what it found."""


def judge(folder: ChallengeFolder, predictions: Path, track: str) -> Marks:
    """Score predictions of the test split on both halves.

    A segmentation is left out: a challenge ranks shares.

    Parameters
    ----------
    folder : ChallengeFolder
        Where the truth is.
    predictions : Path
        A csv, parquet or zarr, as :func:`llpbench.evaluate` takes it.
    track : str
        That they are submitted to.

    Returns
    -------
    Marks
        Its errors are those of ``llpbench evaluate``, whose MAE is the mean of both halves weighted
        by their chips.

    Raises
    ------
    LLPBenchError
        If the file is wrong, in one sentence that can be shown to the team.
    """
    rules = folder.rules()
    rules.check_track(track)
    _check_size(predictions, rules)
    truth = folder.truth()
    seed = read_checked(predictions, truth.llp.split("test"))
    stated = seed.attrs.get("track")
    if stated and stated != track:
        raise PredictionsError(
            f"these predictions were made for the track {examples([stated])} and are submitted to "
            f"{track!r}; submit them to their own"
        )
    seed = seed.drop_vars("segmentation", errors="ignore")
    digest = digest_predictions(seed)
    scores = score_checked([seed], [digest], truth)
    sums = scores.tallies["errors"][0]
    errors, chips = sums[:, :-1].mean(axis=1), sums[:, -1]
    halves = folder.halves()
    parts = [np.isin(scores.divisions, ids) for ids in (halves.public, halves.private)]
    if not (parts[0] ^ parts[1]).all():
        raise ChallengeError(
            f"{folder.halves_file.name} and the truth of this challenge name other divisions; put "
            "back the files that belong together"
        )
    public, private = (Half.of(errors[part], chips[part]) for part in parts)
    return Marks(digest, track, public, private)


def judge_apart(folder: ChallengeFolder, predictions: Path, track: str) -> Marks:
    """Do what :func:`judge` does in a process with the time and memory of the rules.

    Raises
    ------
    PredictionsError
        If the file is wrong, or takes more than that to be read and scored.
    ChallengeError
        If the challenge itself is damaged: no fault of the team's.
    """
    rules = folder.rules()
    with tempfile.TemporaryDirectory() as out:
        arguments = (folder.path.absolute(), predictions.absolute(), track, out)
        module = "llpbench.challenge.judge_program"
        run_apart(module, list(map(str, arguments)), rules.scoring_seconds, one_thread(os.environ))
        try:
            said = json.loads((Path(out) / SAID).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise PredictionsError(
                f"{predictions.name} takes more than {rules.scoring_seconds} seconds or "
                f"{rules.scoring_memory / 2**30:.3g} GB of memory to be read and scored, or is "
                "damaged; write it with `llpbench template` or as parquet"
            ) from error
    if "fault" in said:
        raise ChallengeError(said["fault"])
    if "error" in said:
        raise PredictionsError(said["error"])
    return Marks.from_json(said["marks"])


def _check_size(predictions: Path, rules: Rules) -> None:
    files = predictions.rglob("*") if predictions.is_dir() else [predictions]
    size = sum(file.lstat().st_size for file in files if file.exists())
    if size > rules.largest_file:
        raise PredictionsError(
            f"{predictions.name} has {size:,} bytes, at most {rules.largest_file:,} are taken; "
            "submit shares alone, as parquet"
        )
