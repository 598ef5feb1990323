"""Watch a download work offline: publish a synthetic region, cut the line, fetch it, open it.

A stand-in for Zenodo serves the region on loopback under the record of a published dataset. The
first connections are refused or cut; the download continues each time where it stopped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from zenodo_server import ZenodoServer, cut, refusal

DATASET, RECORD = "benelux-esaworldcover", 7935237


def _llpbench(cache: Path, *arguments: str) -> None:
    print(f"\n$ llpbench {' '.join(arguments)}", flush=True)
    subprocess.run(
        [sys.executable, "-P", "-m", "llpbench", *arguments],
        check=True,
        env={**os.environ, "LLPBENCH_CACHE": str(cache)},
    )


def main() -> None:
    """Publish, download twice, look at what is there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print("A synthetic region stands in for the published one; nothing leaves this machine.")
        _llpbench(folder / "publisher", "synthesize", "stand-in", "--chips", "1500")
        archive = folder / "benelux_sentinel2-rgb-median-2020_esa-world-cover.zip"
        _llpbench(folder / "publisher", "export-archive", "stand-in", "--out", str(archive))
        with ZenodoServer() as zenodo:
            zenodo.publish(RECORD, archive.name, archive)
            zenodo.fail("api", refusal(429, retry_after="1"))
            for share in (0.2, 0.6):
                zenodo.fail("file", cut(int(share * archive.stat().st_size)))
            os.environ["LLPBENCH_ZENODO_URL"] = zenodo.url
            cache = folder / "cache"
            _llpbench(cache, "download", DATASET, "--dry-run")
            _llpbench(cache, "download", DATASET)
            starts = [request.start for request in zenodo.asked("file")]
            print(f"\nThe file was asked for from bytes {starts}.")
            _llpbench(cache, "download", DATASET)
        _llpbench(cache, "datasets")
        _llpbench(cache, "info", DATASET)
        _llpbench(cache, "verify", DATASET)


if __name__ == "__main__":
    main()
