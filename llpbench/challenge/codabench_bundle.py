"""The bundle of a competition on Codabench: results only, two phases, no code of teams.

Source of the layout: docs.codabench.org, "Competition Bundle Structure" and "Yaml Structure",
version 2. The first phase scores the public half, the last one the private half, of what Codabench
moves there by itself when the challenge closes. Reference data of the first phase hold no truth of
the private half.
"""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from llpbench.challenge.folder import ChallengeFolder
from llpbench.challenge.ladder import LEAST_STEP
from llpbench.challenge.rules import Rules
from llpbench.errors import ChallengeError
from llpbench.predictions.table import template, to_table
from llpbench.templates import page_templates
from llpbench.writing import replacing

if TYPE_CHECKING:
    import xarray as xr

IMAGE = "codalab/codalab-legacy:py39"
COMMAND = "python3 /app/program/score.py /app/input /app/output"

_EPOCH = (2020, 1, 1, 0, 0, 0)
"""Of all files in the zip, so that the same challenge gives the same bytes."""


def export_codabench(folder: ChallengeFolder, out: Path) -> Path:
    """Write the bundle that an organiser uploads.

    Parameters
    ----------
    folder : ChallengeFolder
        A challenge; its dataset is not in the bundle, for it may be large.
    out : Path
        The zip.

    Raises
    ------
    ChallengeError
        If scores are not to be shown, which Codabench cannot do.
    """
    rules, truth = folder.rules(), folder.truth().llp.split("test")
    if rules.shown == "nothing":
        raise ChallengeError(
            'Codabench shows a score for every submission, and these rules say shown = "nothing"; '
            "use `llpbench challenge score`, or change the rules"
        )
    halves = folder.halves()
    files: dict[str, str | bytes] = {
        "competition.yaml": _competition(rules),
        "logo.png": _logo(truth),
        "scoring_program/score.py": _text("codabench_score.py"),
        "scoring_program/metadata.yaml": f"command: {COMMAND}\n",
        "reference_public/reference.json": _reference(rules, truth, halves.public, LEAST_STEP),
        "reference_private/reference.json": _reference(rules, truth, halves.private, 0),
        "starting_kit/predictions.csv": to_table(template(truth)).to_csv(index=False),
        **_pages(rules, truth),
    }
    with replacing(out) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        part.chmod(0o600)  # the truth is in it
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return out


def _competition(rules: Rules) -> str:
    from llpbench.board.yaml_files import write_yaml

    def task(index: int, half: str) -> dict[str, Any]:
        name = f"Shares of test chips, {half} half"
        programs = {"scoring_program": "scoring_program", "reference_data": f"reference_{half}"}
        return {"index": index, "name": name, "is_public": False, **programs}

    common = {
        "accepts_only_result_submissions": True,
        "execution_time_limit": rules.scoring_seconds,
        "hide_output": False,
        "starting_kit": "starting_kit",
    }
    column = {"title": "MAE", "key": "mae", "index": 0, "sorting": "asc", "precision": 5}
    content = {
        "version": 2,
        "title": rules.title,
        "description": f"Class shares of satellite image chips of {rules.dataset}, learnt from "
        "label proportions of divisions.",
        "image": "logo.png",
        "terms": "pages/terms.md",
        "registration_auto_approve": False,
        "docker_image": IMAGE,
        "make_programs_available": True,
        "make_input_data_available": False,
        "enable_detailed_results": False,
        "can_participants_make_submissions_public": False,
        "pages": [
            {"title": name.capitalize(), "file": f"pages/{name}.md"}
            for name in ("overview", "data")
        ],
        "tasks": [task(0, "public"), task(1, "private")],
        "phases": [
            {
                "index": 0,
                "name": "Public half",
                "description": "Scores of the public half, rounded.",
                "start": _moment(rules.opens),
                "end": _moment(rules.closes),
                "max_submissions_per_day": rules.submissions_a_day,
                "tasks": [0],
                **common,
            },
            {
                "index": 1,
                "name": "Private half",
                "description": "The final ranking. Nothing is submitted to it.",
                "start": _moment(rules.closes),
                "max_submissions_per_day": 1,
                "auto_migrate_to_this_phase": True,
                "tasks": [1],
                **common,
            },
        ],
        "leaderboards": [
            {
                "title": "Results",
                "key": "main",
                "submission_rule": "Force_Last",
                "columns": [column],
            }
        ],
    }
    return write_yaml(content | (_track_question(rules) if len(rules.tracks) > 1 else {}))


def _track_question(rules: Rules) -> dict[str, Any]:
    """Asks of every submission what it is, and shows it: Codabench has one table for all."""
    asked = {"key": "track", "type": "select", "title": "Track", "selection": list(rules.tracks)}
    return {"fact_sheet": {"track": {**asked, "is_required": "true", "is_on_leaderboard": "true"}}}


def _reference(rules: Rules, truth: xr.Dataset, divisions: tuple[str, ...], step: float) -> str:
    """Truth of the chips of some divisions, and the ids of all that must be predicted."""
    chips, shares = truth["chip"].to_numpy(), truth["truth"].to_numpy()
    scored = np.isin(truth["own_division"].to_numpy(), divisions) & np.isfinite(shares).all(axis=1)
    content = {
        "categories": truth["category_name"].to_numpy().tolist(),
        "chips": chips.tolist(),
        "truth": dict(zip(chips[scored].tolist(), shares[scored].tolist(), strict=True)),
        "step": step,
        "largest_file": rules.largest_file,
    }
    return json.dumps(content, ensure_ascii=False)


def _pages(rules: Rules, truth: xr.Dataset) -> dict[str, str]:
    environment = page_templates("llpbench.challenge")  # Codabench shows Markdown as HTML
    categories = truth["category_name"].to_numpy().tolist()
    known = {"rules": rules, "categories": categories, "chips": truth.sizes["chip"]}
    return {
        f"pages/{name}.md": environment.get_template(f"codabench_{name}.md").render(known)
        for name in ("overview", "data", "terms")
    }


def _logo(truth: xr.Dataset) -> bytes:
    """A chip of cells in the colours of the classes."""
    from matplotlib.colors import to_rgb
    from matplotlib.image import imsave

    colours = np.array([to_rgb(group.colour) for group in truth.llp.label_set.groups])
    cells = np.random.default_rng(0).integers(len(colours), size=(8, 8)).repeat(32, 0).repeat(32, 1)
    content = io.BytesIO()
    imsave(content, colours[cells], format="png")
    return content.getvalue()


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _text(name: str) -> str:
    return (resources.files("llpbench.challenge") / name).read_text(encoding="utf-8")
