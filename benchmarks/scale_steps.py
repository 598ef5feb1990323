"""The steps from files to scores, each in a process of its own that counts what it costs.

Usage: python scale_steps.py STEP CHIPS, with LLPBENCH_CACHE set to a folder for all of them. A step
uses what those before it left there. Prints a line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scale_items import LABELS, make_items

import llpbench
from llpbench.data.archive_export import write_archive
from llpbench.data.building import build_dataset
from llpbench.data.cache import import_archive
from llpbench.data.dataset import open_grouped
from llpbench.data.splits import take_part
from llpbench.methods import gate
from llpbench.methods.registry import make_method
from llpbench.predictions.files import write_predictions

Work = Callable[[], Path]
"""What is measured; it returns what it wrote."""

FOLDER = Path(os.environ.get("LLPBENCH_CACHE", "."))


def prepare(step: str, chips: int) -> Work:
    """Make what a step needs, which is not measured; the step itself."""
    name, zipped = f"scale-{chips}", FOLDER / f"scale-{chips}.zip"
    if step == "synthesize":
        return lambda: llpbench.synthesize(name, LABELS, chips=chips, seed=0).path
    if step == "import":
        if not zipped.exists():
            write_archive(name, zipped)
        return lambda: import_archive(zipped, f"imported-{chips}").path
    if step == "build":
        folder = FOLDER / f"items-{chips}"
        script = Path(__file__).with_name("scale_items.py")
        subprocess.run([sys.executable, script, folder, str(chips)], check=True)
        recipe = make_items(folder, chips)
        return lambda: build_dataset(f"built-{chips}", recipe).path
    ds = open_grouped(name)
    if step == "map":
        return lambda: llpbench.write_map(_predictions(chips), ds, FOLDER / "map.tif").shares
    if step == "score":
        predictions = llpbench.read_predictions(_predictions(chips))
        test = predictions.sel(chip=take_part(ds, "test")["chip"])
        write_predictions(test.assign_attrs(split="test"), FOLDER / "test.parquet")
        return lambda: _score(name)
    method = make_method("llpnet" if step == "train llpnet" else "bag-ridge", random_state=0)
    train, val = take_part(ds, "train"), take_part(ds, "val")
    if step == "features":
        gate.learn_features(method, train)
        return lambda: _nothing(gate.describe(method, ds))
    if step == "predict":
        gate.fit(method, train, val)
        return lambda: _predict(method, ds, chips)
    return lambda: _nothing(gate.fit(method, train, val))


def _predictions(chips: int) -> Path:
    return FOLDER / f"predictions-{chips}.parquet"


def _predict(method: Any, ds: Any, chips: int) -> Path:
    name = ds.llp.info.name
    found = gate.predict(method, ds, "all", name="bag-ridge", seed=0, trained_on=name)
    write_predictions(found, _predictions(chips))
    return _predictions(chips)


def _score(name: str) -> Path:
    llpbench.evaluate(FOLDER / "test.parquet", name)
    return _nothing(None)


def _nothing(_result: Any) -> Path:
    return FOLDER / "nothing"


def _peak_kb() -> int:
    """The largest memory since the peak was last forgotten, as Linux counts it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def measure(step: str, chips: int) -> dict[str, Any]:
    """CPU seconds of a step, bytes and files it wrote, and the largest memory of its process."""
    work = prepare(step, chips)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = time.process_time()
    written = work()
    seconds = time.process_time() - before
    files = [written] if written.is_file() else [f for f in written.rglob("*") if f.is_file()]
    return {
        "step": step,
        "chips": chips,
        "cpu_s": round(seconds, 3),
        "bytes": sum(file.stat().st_size for file in files),
        "files": len(files),
        "peak_mb": round(_peak_kb() / 1024),
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
