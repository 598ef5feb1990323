"""A new challenge made of a dataset: what is handed out, what is kept, and the rules."""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import xarray as xr

from llpbench.board.truth import make_truth, scored_divisions, write_truth
from llpbench.board.truth_state import where_truth_is_public
from llpbench.challenge.folder import ChallengeFolder, writing_private
from llpbench.challenge.halves import draw_halves
from llpbench.challenge.participants import write_participants
from llpbench.challenge.rules import read_rules
from llpbench.data.dataset import open_dataset
from llpbench.errors import ChallengeError
from llpbench.writing import replace_text, replacing

log = logging.getLogger(__name__)

DAYS = 90
"""That a challenge is open, if its organiser does not change the rules."""

_RULES = """\
# What holds for all teams. Change the texts, the dates and the numbers as you like before the
# challenge opens; the dataset, its digest and the public share follow from what was handed out.
name = {name}
title = {title}
dataset = {dataset}
digest = {digest}
tracks = {tracks}
opens = {opens}
closes = {closes}
submissions_a_day = 5
public_share = {public_share}
shown = "ladder"  # what a team sees of its scores until the end; or "nothing"
largest_file = {largest_file}  # bytes
scoring_seconds = 120
scoring_memory = 4_294_967_296  # bytes
"""


def new_challenge(
    dataset: str | os.PathLike[str],
    out: Path,
    *,
    tracks: Sequence[str] = ("inductive",),
    public_share: float = 0.5,
    seed: int | None = None,
    progress: bool = False,
) -> ChallengeFolder:
    """Make the folder of a challenge.

    Parameters
    ----------
    dataset : str or path
        What :func:`llpbench.open_dataset` opens, with labels of its test split.
    out : Path
        The folder; must not exist.
    tracks : sequence of str
        That teams may submit to. With ``"disaggregation"`` participants get the known shares of
        test divisions.
    public_share : float
        Part of the scored chips in the public half, see
        :func:`~llpbench.challenge.halves.draw_halves`.
    seed : int, optional
        The secret that halves are drawn with; by default a new one of 128 bits.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    ChallengeFolder
        With ``rules.toml`` that opens today and closes in ninety days.

    Raises
    ------
    LLPBenchError
        If the dataset is not there or has no labels, there are too few test divisions, or something
        stands at ``out``.
    """
    if out.exists():
        raise ChallengeError(f"{str(out)!r} exists already; remove it or choose another name")
    if not 0 < public_share < 1:
        raise ChallengeError(
            f"the public share is a part of the chips above 0 and below 1, found {public_share}"
        )
    ds = open_dataset(dataset)
    info = ds.llp.info
    if info.store is None:
        raise ChallengeError("a challenge is made of a dataset on disk, with its imagery")
    if public := where_truth_is_public(info.name, synthetic=info.synthetic, doi=info.doi):
        log.warning("labels of %s are no secret: %s", info.shown_name, public)
    seed = secrets.randbits(128) if seed is None else seed
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as part:
        part.mkdir()
        _fill(ChallengeFolder(part), ds, out.name, tracks, public_share, seed, progress)
    return ChallengeFolder(out)


def _fill(
    folder: ChallengeFolder,
    ds: xr.Dataset,
    name: str,
    tracks: Sequence[str],
    public_share: float,
    seed: int,
    progress: bool,
) -> None:
    truth, info = make_truth(ds), ds.llp.info
    divisions, chips = scored_divisions(truth)
    halves = draw_halves(divisions.tolist(), chips.tolist(), public_share, seed)
    with writing_private(folder.halves_file) as part:
        part.write_text(json.dumps(asdict(halves), indent=1), encoding="utf-8")
    now = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    texts = {
        "name": name,
        "title": info.title,
        "dataset": info.name,
        "digest": f"sha256:{0:064d}",  # until the dataset is written, which takes long
        "tracks": list(tracks),
    }
    rules = {
        "opens": now.isoformat(),
        "closes": (now + timedelta(DAYS)).isoformat(),
        "public_share": public_share,
        "largest_file": f"{max(2**24, 2000 * truth.sizes['chip']):_}",
    }
    _write_rules(folder, texts, rules)
    digest = write_participants(
        info.store,
        folder.participants,
        with_proportions="disaggregation" in tracks,
        progress=progress,
    )
    _write_rules(folder, {**texts, "digest": digest}, rules)
    with writing_private(folder.truth_file) as part:
        write_truth(truth.assign_attrs(digest=digest), part)


def _write_rules(
    folder: ChallengeFolder, texts: dict[str, object], rules: dict[str, object]
) -> None:
    """Write the rules, and read them again, which refuses what cannot be."""
    quoted = {name: json.dumps(text, ensure_ascii=False) for name, text in texts.items()}
    replace_text(folder.rules_file, _RULES.format(**quoted, **rules))
    read_rules(folder.rules_file)
