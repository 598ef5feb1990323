"""What commands do not import: nobody waits for packages that are not used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import llpbench
from llpbench.predictions.files import write_predictions
from llpbench.predictions.table import make_predictions

_CODE = """
import sys
from llpbench.cli import main
main(sys.argv[2:])
print("imported:", *(name for name in sys.argv[1].split() if name in sys.modules))
"""

_NEVER = "tensorflow sklearn matplotlib distributed shapely scipy.spatial scipy.optimize"


def test_commands_import_what_they_use(store: Path, tmp_path: Path) -> None:
    part = llpbench.open_dataset(store, split="test").llp.group()
    predictions, shares = tmp_path / "mine.csv", part["chip_proportions"].fillna(0.2).to_numpy()
    names = part["category_name"].to_numpy()
    write_predictions(make_predictions(part["chip"].to_numpy(), names, shares), predictions)
    for arguments in (
        ["info", store],
        ["evaluate", predictions, "--dataset", store],
        ["run", "train-mean", "--dataset", store, "-o", tmp_path / "run"],
    ):
        command = [sys.executable, "-c", _CODE, _NEVER, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == "imported:", arguments
    assert not list((tmp_path / "run").rglob("*.png"))
