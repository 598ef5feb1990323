"""Metadata of a dataset that machine-learning tools read: Croissant with two extensions.

The vocabulary is that of the specifications Croissant 1.1, Croissant RAI 1.0 and GeoCroissant 1.0
of MLCommons (http://mlcommons.org/croissant/1.1, and RAI/1.0 and geo/1.0 there), with provenance in
W3C's PROV.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llpbench import catalog
from llpbench.data.imagery import IMAGE, RGB
from llpbench.data.sensors import SENTINEL2
from llpbench.data.stac import IMAGES_OF
from llpbench.data.store.layout import CHIPS, DIVISIONS, INFO
from llpbench.protocol import CHIP_SIZE
from llpbench.reporting.croissant_records import describe_records
from llpbench.reporting.datasheet import pixel_metres
from llpbench.reporting.responsible import describe_responsible, responsible_of

if TYPE_CHECKING:
    import xarray as xr

    from llpbench.catalog.responsible import Responsible

COLOURS = {SENTINEL2[band].role: (band, *SENTINEL2[band][1:]) for band in ("B4", "B3", "B2")}
"""Band, centre wavelength and bandwidth in nm of red, green and blue."""
_OF_CROISSANT = (
    *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field"),
    *("fileObject", "fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset"),
    *("jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex"),
    *("repeated", "replace", "samplingRate", "separator", "source", "subField", "transform"),
)
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "geocr": "http://mlcommons.org/croissant/geo/",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    **{name: f"cr:{name}" for name in _OF_CROISSANT},
}
"""The context of Croissant 1.1 with the namespaces of its extensions and of PROV."""
PUBLISHED = "2023"
"""When the archives were."""


def describe_croissant(ds: xr.Dataset, said: Responsible | None = None) -> dict[str, Any]:
    """Describe a dataset as JSON-LD.

    Parameters
    ----------
    ds : Dataset
        All of it.
    said : Responsible or None
        What its maker says that its users must know, see
        :func:`llpbench.catalog.responsible.read_responsible`.

    Returns
    -------
    dict
        What it is, where it lies, whose it is, how it was sampled, and what its users must know
        (:func:`llpbench.reporting.responsible.responsible_of`); the files of its store; and as
        record sets its splits, its classes with the class groups they make, its divisions and its
        chips. Of bands it tells the wavelengths that are known; time and bandwidths of published
        datasets alone.
    """
    description = {
        "@context": dict(sorted(CONTEXT.items())),
        "@type": "sc:Dataset",
        "conformsTo": [
            "http://mlcommons.org/croissant/1.1",
            "http://mlcommons.org/croissant/RAI/1.0",
            "http://mlcommons.org/croissant/geo/1.0",
        ],
        "name": ds.llp.info.name,
        "description": _summary(ds),
        "version": "1.0.0",
        "keywords": ["learning from label proportions", "weak supervision", "remote sensing"],
        "license": _licence(ds),
        "creditText": ds.llp.info.attribution,
        "citeAs": str(catalog.load().paper),
        "isLiveDataset": False,
        "spatialCoverage": _place(ds),
        "geocr:coordinateReferenceSystem": "EPSG:4326",
        "geocr:spatialResolution": _quantity(pixel_metres(ds), "m"),
        "geocr:samplingStrategy": (
            f"{ds.sizes['chip']} chips of {CHIP_SIZE} x {CHIP_SIZE} pixels, side by side on "
            f"a grid; {ds.sizes['division']} administrative divisions with shares of classes. "
            "Whole divisions belong to one split."
        ),
        "geocr:spatialBias": (
            "One contiguous region; divisions of a split are neighbours of those of others."
        ),
        **describe_responsible(responsible_of(ds.llp.info, said)),
        "distribution": _files(),
        "recordSet": describe_records(ds),
    }
    return description | _bands(ds) | _origin(ds)


def _summary(ds: xr.Dataset) -> str:
    kind = "imagery" if IMAGE in ds.llp.info.images else "embeddings"
    made = " Made by a program; no real place is shown." if ds.llp.info.synthetic else ""
    return (
        f"{ds.llp.info.title}: satellite {kind} of {ds.sizes['chip']} chips with labels "
        f"({ds.llp.label_set.title}), and the shares of classes in {ds.sizes['division']} "
        f"administrative divisions, to learn from label proportions.{made}"
    )


def _licence(ds: xr.Dataset) -> str:
    """The page of an SPDX identifier; anything else as it is."""
    licence: str = ds.llp.info.licence
    return f"https://spdx.org/licenses/{licence}" if licence and " " not in licence else licence


def _origin(ds: xr.Dataset) -> dict[str, Any]:
    """What a DOI and the published imagery let us say."""
    if not ds.llp.info.doi:
        return {}
    return {
        "url": f"https://doi.org/{ds.llp.info.doi}",
        "identifier": f"doi:{ds.llp.info.doi}",
        "datePublished": PUBLISHED,
        "temporalCoverage": "/".join(IMAGES_OF),
    }


def _bands(ds: xr.Dataset) -> dict[str, Any]:
    """Names of bands, of features where there is no image, and the wavelengths that are known."""
    imagery = next(iter(ds.llp.info.images.values()))
    described: dict[str, Any] = {
        "geocr:bandConfiguration": {
            "@type": "geocr:BandConfiguration",
            "geocr:totalBands": len(imagery.bands),
            "geocr:bandNameList": imagery.names,
        }
    }
    spectral = [
        _spectral_band(band.name, band.wavelength) for band in imagery.bands if band.wavelength
    ]
    if ds.llp.info.doi and imagery == RGB:
        spectral = [
            _spectral_band(f"{name} (Sentinel-2 {band})", centre)
            | {"geocr:bandwidth": _quantity(width, "nm")}
            for name, (band, centre, width) in COLOURS.items()
        ]
    return described | ({"geocr:spectralBandMetadata": spectral} if spectral else {})


def _spectral_band(name: str, wavelength: float) -> dict[str, Any]:
    return {
        "@type": "geocr:SpectralBand",
        "name": name,
        "geocr:centerWavelength": _quantity(wavelength, "nm"),
    }


def _quantity(value: float, unit: str) -> dict[str, Any]:
    return {"@type": "QuantitativeValue", "value": value, "unitText": unit}


def _place(ds: xr.Dataset) -> dict[str, Any]:
    """The box around all chips: south, west, north, east."""
    bounds = ds["bounds"].to_numpy()
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    box = " ".join(f"{degrees:.6f}" for degrees in (south, west, north, east))
    return {"@type": "Place", "geo": {"@type": "GeoShape", "box": box}}


def _files() -> list[dict[str, Any]]:
    return [
        _file_set("chips", "application/zarr", f"{CHIPS}/**", "Images, labels, shares: Zarr 3."),
        _file_set("divisions", "application/vnd.apache.parquet", DIVISIONS, "Outlines and shares."),
        _file_set("description", "application/json", INFO, "Name, classes, licence, digest."),
    ]


def _file_set(name: str, encoding: str, includes: str, description: str) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{name}-files",
        "name": f"{name}-files",
        "description": description,
        "encodingFormat": encoding,
        "includes": includes,
    }
