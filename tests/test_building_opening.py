"""Where rasters lie, and what a file may name that is not in it.

Expected values are those of the pixels that were written, by numpy.
"""

from __future__ import annotations

import os
import socket
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from own_region import OwnRegion, edit_raster
from rasterio.control import GroundControlPoint
from rasterio.errors import NotGeoreferencedWarning

from llpbench.data.building import build_region
from llpbench.data.building.opening import find_driver
from llpbench.data.building.raster_file import inspect_rasters
from llpbench.data.building.sampling import sample
from llpbench.data.region import Region
from llpbench.errors import BuildError

pytestmark = pytest.mark.usefixtures("outlines_read_here")


def _build(own: OwnRegion, image: Path, **options: Any) -> tuple[Region, list[str]]:
    return build_region(own.recipe(images=[image], **options))


def _by_points(own: OwnRegion, bend: float = 0.0) -> Path:
    """The image placed by control points, the middle one of them bent aside."""
    places = [(row, column) for row in (0, 250, 500) for column in (0, 300, 600)]
    points = [
        GroundControlPoint(r, c, own.west + c + bend * ((r, c) == (250, 300)), own.north - r)
        for r, c in places
    ]
    path = own.folder / "points.tif"
    shape = {"height": 500, "width": 600, "count": 3, "dtype": "uint8"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", driver="GTiff", **shape) as file:
            file.write(own.image)
            file.gcps = points, rasterio.CRS.from_string(own.crs)
    return path


@pytest.mark.parametrize("crs", ["EPSG:32631", "EPSG:32632"])
def test_control_points_place_an_image(own: OwnRegion, crs: str) -> None:
    """As its geotransform would, also where it is warped."""
    expected, _ = _build(own, own.write_image(), crs=crs)
    found, remarks = _build(own, _by_points(own), crs=crs)
    assert any("ground control points" in remark for remark in remarks)
    assert list(found.chips.index) == list(expected.chips.index)
    chips = list(found.chips.index)
    np.testing.assert_array_equal(found.read(chips).image, expected.read(chips).image)


def _local(own: OwnRegion) -> Path:
    return own.write_image(
        crs='ENGCRS["site",EDATUM["site"],CS[Cartesian,2],AXIS["x",east],'
        'AXIS["y",north],LENGTHUNIT["metre",1]]'
    )


LUNAR = "+proj=eqc +R=1737400 +units=m"


def _zip(own: OwnRegion) -> Path:
    path = own.folder / "S2A.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("S2A.SAFE/manifest.safe", "")
    return path


ODD: dict[str, tuple[Callable[[OwnRegion], Any], str]] = {
    "bent control points": (
        lambda own: own.recipe(images=[_by_points(own, 9)]),
        "gdalwarp -tps points.tif",
    ),
    "pixels without area": (
        lambda own: own.recipe(images=[own.write_image(transform=Affine(1, 1, 6e5, 1, 1, 5e6))]),
        "image.tif has pixels without an area",
    ),
    "a product as it was downloaded": (
        lambda own: own.recipe(images=[_zip(own)]),
        "S2A.zip is a zip file: unzip it",
    ),
    "a local system": (lambda own: own.recipe(images=[_local(own)]), "cannot be brought to long"),
    "complex numbers": (
        lambda own: own.recipe(images=[own.write_image(own.image.astype("complex64"))]),
        "band 1 holds complex numbers",
    ),
    "a scale of nothing": (
        lambda own: own.recipe(images=[edit_raster(own.write_image(), scales=(1, 0, 1))]),
        "band 2 has a scale tag of 0",
    ),
    "a scale without end": (lambda own: own.recipe(scale=(0, np.inf)), "found 0 and inf"),
    "chips of no number": (lambda own: own.recipe(chip_km=np.nan), "--chip-km must be more than 0"),
    "chips without end": (lambda own: own.recipe(chip_km=np.inf), "--chip-km must be more than 0"),
    "all missing": (lambda own: own.recipe(max_missing=1), "--max-missing must be from 0 to less"),
    "missing of no number": (lambda own: own.recipe(max_missing=np.nan), "--max-missing must be"),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_rasters_get_one_sentence(own: OwnRegion, case: str) -> None:
    recipe, expected = ODD[case]
    with pytest.raises(BuildError, match=expected) as caught:
        build_region(recipe(own))
    assert "\n" not in str(caught.value)


# Files that name other files


def _mosaic(folder: Path, source: str, *, kind: str = "", sub: str = "SimpleSource") -> Path:
    path = folder / "mosaic.vrt"
    bands = "".join(
        f'<VRTRasterBand dataType="Byte" band="{n}"{kind}><{sub}><SourceFilename '
        f'relativeToVRT="{int(not source.startswith("/"))}">{source}</SourceFilename>'
        f"<SourceBand>{n}</SourceBand></{sub}></VRTRasterBand>"
        for n in (1, 2, 3)
    )
    path.write_text(
        f'<VRTDataset rasterXSize="600" rasterYSize="500"><SRS>EPSG:32631</SRS>'
        f"<GeoTransform>600000, 1, 0, 5600000, 0, -1</GeoTransform>{bands}</VRTDataset>"
    )
    return path


def test_a_mosaic_of_files_beside_it_is_read(own: OwnRegion) -> None:
    own.write_image(name="tile.tif")
    region, _ = _build(own, _mosaic(own.folder, "tile.tif"))
    np.testing.assert_array_equal(own.pixels(region), own.image)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("tile.tif", ' subClass="VRTRawRasterBand"'),
        ("tile.tif", ' SUBCLASS="VRTDerivedRasterBand"'),
        ("/etc/passwd", ""),
        ("../outside.tif", ""),
        ("link.tif", ""),
        ("secret.txt", ""),
        ("other.vrt", ""),
        ("/vsicurl/http://127.0.0.1:9/x.tif", ""),
        ("http://127.0.0.1:9/x.tif", ""),
    ],
)
def test_a_mosaic_that_reaches_elsewhere_is_refused(
    own: OwnRegion, source: str, kind: str, tmp_path: Path
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    outside = own.write_image(name="outside.tif")
    own.write_image(name="inside/tile.tif")
    (inside / "link.tif").symlink_to(outside)
    (inside / "secret.txt").write_text("root:x:0:0")
    (inside / "other.vrt").write_text("<VRTDataset/>")
    with pytest.raises(BuildError, match=r"more than a mosaic|a VRT may only name"):
        find_driver(_mosaic(inside, source, kind=kind))


@pytest.mark.parametrize(
    "text",
    [
        '<VRTDataset subClass="VRTWarpedDataset"/>',
        "<VRTDataset><Group name='/'/></VRTDataset>",
        "<VRTDataset><VRTRasterBand><ArraySource/></VRTRasterBand></VRTDataset>",
        "<VRTDataset><Metadata domain='OVERVIEWS'/></VRTDataset>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]><VRTDataset>&a;</VRTDataset>",
        "<VRTDataset>",
        "<GDAL_WMS><Service name='TMS'><ServerUrl>http://x</ServerUrl></Service></GDAL_WMS>",
        '{"type": "FeatureCollection", "features": []}',
        "",
    ],
)
def test_other_files_that_gdal_would_follow_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "image.tif"
    path.write_text(text)
    with pytest.raises(BuildError, match=r"image.tif") as caught:
        inspect_rasters([path])
    assert "\n" not in str(caught.value)


def test_a_pipe_is_no_raster(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tif")
    with pytest.raises(BuildError, match="is no regular file"):
        inspect_rasters([tmp_path / "pipe.tif"])


def test_a_file_beside_a_raster_reaches_no_network(own: OwnRegion) -> None:
    """GDAL would look for overviews where the sidecar says; nobody calls the address."""
    path = own.write_image()
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"/vsicurl/http://127.0.0.1:{server.getsockname()[1]}/x.tif"
        path.with_name("image.tif.aux.xml").write_text(
            '<PAMDataset><Metadata domain="OVERVIEWS">'
            f'<MDI key="OVERVIEW_FILE">{address}</MDI></Metadata></PAMDataset>'
        )
        assert len(sample(inspect_rasters([path])[0], 50)) == 3 * 50 * 50
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
