"""What a chip costs from files to scores, at several sizes; goes on where it stopped.

Usage: python scale.py [--chips N ...] [--steps STEP ...] [--out JSON] [--folder FOLDER]. Every step
runs in a process of its own on one thread a library; the CPU time is of all its threads. What
FOLDER holds can be thrown away when JSON is complete. scale_page.py makes docs/scale.md of it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
DATA = HERE.parent / "docs" / "scale" / "costs.json"
STEPS = (
    *("synthesize", "import", "build", "features", "train bag-ridge", "train llpnet"),
    *("predict", "map", "score"),
)
"""In this order: each uses what others left."""
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"),
    "1",
)


def read(path: Path) -> list[dict[str, Any]]:
    """Read what was measured; nothing if there is no file."""
    return json.loads(path.read_text("utf-8")) if path.exists() else []


def measure(step: str, chips: int, folder: Path) -> dict[str, Any]:
    """Measure a step in a process of its own."""
    command = [sys.executable, str(HERE / "scale_steps.py"), step, str(chips)]
    env = {**os.environ, **ONE_THREAD, "LLPBENCH_CACHE": str(folder)}
    done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure what is not there yet, and keep it after every step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chips", type=int, nargs="+", default=[4_000, 16_000, 72_000])
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
    parser.add_argument("--out", type=Path, default=DATA)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/scale"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    for chips in options.chips:
        for step in options.steps:
            rows = read(options.out)
            if any((row["step"], row["chips"]) == (step, chips) for row in rows):
                continue
            rows.append(measure(step, chips, options.folder))
            print(rows[-1], flush=True)
            part = options.out.with_suffix(".part")
            part.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
            part.rename(options.out)


if __name__ == "__main__":
    main()
