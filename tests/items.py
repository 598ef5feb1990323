"""Lists of STAC items as a search returns them, and the files they name, of a small region."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from own_region import OwnRegion, north_up, write_raster

COLOURS = ("red", "green", "blue")


def asset(href: str, *common: str, **said: Any) -> dict[str, Any]:
    """An asset of bands that are called by their common names."""
    bands = [{"name": name, "common_name": name} for name in common]
    kind = "image/tiff; application=geotiff; profile=cloud-optimized"
    return {"href": href, "type": kind, "eo:bands": bands, **said}


def item(number: str, assets: Mapping[str, Any], day: str = "2023-06-01", **said: Any) -> Any:
    """An item of version 1.0."""
    properties = {"datetime": f"{day}T10:46:19Z", **said.pop("properties", {})}
    head = {"type": "Feature", "stac_version": "1.0.0", "id": number, "geometry": None}
    return {**head, "properties": properties, "assets": dict(assets), "links": [], **said}


def write_items(path: Path, items: Sequence[Any], **said: Any) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": items, **said}))
    return path


def write_cog(own: OwnRegion, name: str, pixels: NDArray[Any], **options: Any) -> str:
    """A file of (band, row, column) over the region; its href, relative to the list."""
    path = own.folder / "assets" / f"{name}.tif"
    path.parent.mkdir(exist_ok=True)
    options.setdefault(
        "transform", north_up(own.west, own.north, 100 * own.columns / pixels.shape[2])
    )
    tiles = {"tiled": True, "blockxsize": 128, "blockysize": 128, "compress": "deflate"}
    crs = options.pop("crs", own.crs)
    write_raster(path, pixels, options.pop("transform"), crs, **tiles, **options)
    return f"./assets/{name}.tif"


def days(count: int) -> list[str]:
    return [f"2023-06-{day:02d}" for day in range(1, count + 1)]


class Series:
    """Images of a region at several days: a file a band, and one of classes (SCL)."""

    def __init__(self, own: OwnRegion, count: int, dtype: str = "uint16", **facts: Any) -> None:
        rng = np.random.default_rng(0)
        shape = (100 * own.rows, 100 * own.columns)
        self.own = own
        self.numbers = rng.integers(1001, 4000, (count, 3, *shape)).astype(dtype)
        self.classes = rng.choice([0, 1, 3, 4, 5, 8, 9, 10, 11], (count, *(n // 2 for n in shape)))
        self.facts = facts

    @property
    def clear(self) -> NDArray[np.bool_]:
        """What the product specification does not call hidden, shape (item, row, column)."""
        hidden = np.isin(self.classes, [0, 1, 3, 8, 9, 10])
        return ~hidden.repeat(2, axis=1).repeat(2, axis=2)

    def items(self) -> list[Any]:
        found = []
        for number, day in enumerate(days(len(self.numbers))):
            assets = {
                band: asset(write_cog(self.own, f"{number}{band}", pixels[np.newaxis]), band)
                for band, pixels in zip(COLOURS, self.numbers[number], strict=True)
            }
            classes = self.classes[number].astype(np.uint8)[np.newaxis]
            assets["scl"] = {"href": write_cog(self.own, f"{number}scl", classes)}
            found.append(item(f"S2_{number}", assets, day, **self.facts))
        return found

    def write(self) -> Path:
        return write_items(self.own.folder / "items.json", self.items())


def masked_median(numbers: NDArray[Any], clear: NDArray[np.bool_]) -> NDArray[np.float64]:
    """numpy's median of the numbers that are clear, shape (band, row, column); NaN of none."""
    hidden = np.broadcast_to(~clear[:, np.newaxis], numbers.shape)
    found = np.ma.median(np.ma.array(numbers, mask=hidden, dtype=float), axis=0)
    return found.filled(np.nan)


class _Ranges(SimpleHTTPRequestHandler):
    """Files of a folder, by ranges where they are asked for; what is asked is noted."""

    protocol_version = "HTTP/1.1"
    asked: list[str]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content = path.read_bytes()
        said = self.headers.get("Range", "").removeprefix("bytes=").partition("-")
        start, stop = int(said[0] or 0), min(int(said[2] or len(content)) + 1, len(content))
        self.send_response(206 if said[1] else 200)
        if said[1]:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{len(content)}")
        self.send_header("Content-Length", str(stop - start))
        self.end_headers()
        self.wfile.write(content[start:stop])


@contextmanager
def serve(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """A web server of a folder on loopback: its address, and the paths that were asked for."""
    asked: list[str] = []
    handler = partial(type("Handler", (_Ranges,), {"asked": asked}), directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
