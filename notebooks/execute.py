"""Run all notebooks and keep their outputs in them: `make notebooks`.

Two at a time, each in a folder of its own, with one cache for the embedded datasets. What depends
on the machine is left out: paths of the cache and of temporary folders, times of cells, random
ids. Pictures are stored in 256 colours.
"""

from __future__ import annotations

import base64
import io
import os
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

HERE = Path(__file__).parent
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def main(paths: list[Path]) -> None:
    """Run the notebooks, longest first, and say how long each took."""
    import llpbench

    with TemporaryDirectory() as folder:
        os.environ["LLPBENCH_CACHE"] = f"{folder}/cache"
        llpbench.open_dataset("demo-esaworldcover")  # made here once
        os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
        places = [Path(folder) / path.stem for path in paths]
        with ProcessPoolExecutor(2) as pool:
            for path, seconds in zip(paths, pool.map(execute, paths, places), strict=True):
                print(f"{path.name}: {seconds:.0f} s")


def execute(path: Path, place: Path) -> float:
    """Run one notebook in a new folder and write it with its outputs; seconds it took."""
    begun = time.monotonic()
    place.mkdir()
    os.environ.update(TMPDIR=str(place), IPYTHONDIR=str(place), JUPYTER_CONFIG_DIR=str(place))
    notebook = nbformat.read(path, 4)
    client = NotebookClient(
        notebook,
        timeout=600,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(place)}},
    )
    client.execute()
    numbers = count()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            _clean(output, place, numbers)
    notebook.metadata = {
        "kernelspec": notebook.metadata["kernelspec"],
        "language_info": {"name": "python"},
    }
    nbformat.validate(notebook)
    nbformat.write(notebook, path)
    return time.monotonic() - begun


def _clean(output: Any, place: Path, numbers: Iterator[int]) -> None:
    """Take out of an output what depends on the machine, and make its pictures small."""
    if "text" in output:
        output["text"] = _without_places(output["text"], place)
    ids: dict[str, str] = {}
    for kind, content in output.get("data", {}).items():
        if kind == "image/png":
            output["data"][kind] = _small(content)
        elif isinstance(content, str):
            for old in UUID.findall(content):
                ids.setdefault(old, f"{next(numbers)}")
            text = UUID.sub(lambda match: ids[match[0]], content)
            output["data"][kind] = _without_places(text, place)


def _without_places(text: str, place: Path) -> str:
    text = text.replace(str(place.parent / "cache"), "~/.cache/llpbench")
    text = re.sub(rf"{re.escape(str(place))}/(?:tmp\w+/?)?", "", text)
    return re.sub(r"<(\w[\w.]* object|Figure|\w+) at 0x[0-9a-f]+>", r"<\1>", text)


def _small(content: str) -> str:
    """A PNG (base64) in 256 colours, where that is smaller."""
    image = Image.open(io.BytesIO(base64.b64decode(content))).convert("RGB")
    small = image.quantize(256, kmeans=1, dither=Image.Dither.NONE)
    written = io.BytesIO()
    small.save(written, format="png", optimize=True)
    return min(base64.b64encode(written.getvalue()).decode("ascii"), content, key=len)


if __name__ == "__main__":
    chosen = [Path(argument) for argument in sys.argv[1:]]
    found = sorted(HERE.glob("*.ipynb"), key=lambda path: "what-proportions" not in path.stem)
    main(chosen or found)
