"""Metadata of a dataset that machine-learning tools read: Croissant and GeoCroissant.

The vocabulary is that of the specifications Croissant 1.1 and GeoCroissant 1.0 of MLCommons
(http://mlcommons.org/croissant/1.1, http://mlcommons.org/croissant/geo/1.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from llpbench import catalog
from llpbench.data.imagery import EMBEDDING, EMBEDDING_SCALE, IMAGE, RGB, Imagery
from llpbench.data.sensors import SENTINEL2
from llpbench.data.store.layout import CHIPS, DIVISIONS, INFO
from llpbench.protocol import CHIP_SIZE, SCORE_WINDOW, SPLITS
from llpbench.reporting.arrays import array_lines
from llpbench.reporting.datasheet import pixel_metres

if TYPE_CHECKING:
    import xarray as xr

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
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    **{name: f"cr:{name}" for name in _OF_CROISSANT},
}
"""The context of Croissant 1.1 with the namespaces of GeoCroissant and responsible AI."""
IMAGES_OF = "2020-01-01/2020-12-31"
"""What the published imagery is the median of."""
PUBLISHED = "2023"
"""When the archives were."""


def describe_croissant(ds: xr.Dataset) -> dict[str, Any]:
    """Describe a dataset as JSON-LD.

    Returns
    -------
    dict
        What it is, where it lies, whose it is, how it was sampled, what is known to be wrong with
        its labels; the files of its store; and as record sets its splits, its classes with the
        class groups they make, its divisions and its chips. Of bands it tells the wavelengths that
        are known; time and bandwidths of published datasets alone.
    """
    description = {
        "@context": dict(sorted(CONTEXT.items())),
        "@type": "sc:Dataset",
        "conformsTo": [
            "http://mlcommons.org/croissant/1.1",
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
        "rai:dataBiases": _noise(ds),
        "distribution": _files(),
        "recordSet": [_splits(), _classes(ds), _divisions(), _chips(ds)],
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


def _noise(ds: xr.Dataset) -> list[str]:
    known = catalog.load().label_noise.get(ds.llp.label_set.name, ())
    return [] if ds.llp.info.synthetic else list(known)


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
        "temporalCoverage": IMAGES_OF,
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


def _record_set(name: str, key: str, fields: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "key": {"@id": f"{name}/{key}"},
        "field": fields,
        **more,
    }


def _splits() -> dict[str, Any]:
    fields = [_field("splits/name", "sc:Text", "What a split is called.")]
    rows = [{"splits/name": name} for name in SPLITS]
    return _record_set("splits", "name", fields, dataType="cr:Split", data=rows)


def _classes(ds: xr.Dataset) -> dict[str, Any]:
    labels = ds.llp.label_set
    group_of = {number: group.name for group in labels.groups for number in group.members}
    columns = {
        "classes/number": ("sc:Integer", "Value of a label; 255 is no label."),
        "classes/name": ("sc:Text", "What the legend says."),
        "classes/colour": ("sc:Text", "#rrggbb."),
        "classes/group": ("sc:Text", "The class group that is predicted and scored."),
    }
    fields = [_field(name, kind, text) for name, (kind, text) in columns.items()]
    rows = [
        dict(zip(columns, (number, part.name, part.colour, group_of[number]), strict=True))
        for number, part in enumerate(labels.classes)
    ]
    return _record_set("classes", "number", fields, dataType="sc:Enumeration", data=rows)


def _divisions() -> dict[str, Any]:
    columns = {
        "id": ("sc:Text", "Identifier."),
        "name": ("sc:Text", "Name, or the identifier."),
        "area_km2": ("sc:Float", "Area of the whole division in km²."),
        "geometry": ("sc:Text", "Outline as WKB, EPSG:4326."),
    }
    fields = [
        _field(f"divisions/{name}", kind, text, ("divisions-files", {"column": name}))
        for name, (kind, text) in columns.items()
    ]
    return _record_set("divisions", "id", fields)


def _chips(ds: xr.Dataset) -> dict[str, Any]:
    arrays = {
        "chip": ("sc:Text", "Identifier."),
        "split": ("sc:Text", "Split by division, the one that is scored."),
        "own_division": ("sc:Text", "Division with the largest overlap, empty if none."),
        "bounds": ("sc:Float", "West, south, east, north in degrees."),
        **_pixels(ds.llp.info.images),
        "label": (
            "sc:Integer",
            f"Class of each pixel; scored are rows and columns {SCORE_WINDOW.start} to "
            f"{SCORE_WINDOW.stop - 1}.",
        ),
        "chip_proportions": ("sc:Float", "Shares of classes counted on the label."),
        "target": ("sc:Float", "Shares as the divisions of the chip know them, mixed by area."),
    }
    fields = []
    for name, (kind, text) in arrays.items():
        field = _field(f"chips/{name}", kind, text, ("chips-files", {"fileProperty": "content"}))
        if ds[name].ndim > 1:
            field |= {"isArray": True, "arrayShape": ",".join(map(str, ds[name].shape[1:]))}
        if name == "split":
            field["references"] = {"field": {"@id": "splits/name"}}
        fields.append(field)
    return _record_set("chips", "chip", fields)


def _pixels(images: Mapping[str, Imagery]) -> dict[str, tuple[str, str]]:
    """Fields of images and embeddings: the type of their numbers, and what they are."""
    fields = {}
    for array, imagery in images.items():
        kind = "sc:Float" if imagery.dtype == "float32" else "sc:Integer"
        (line,) = array_lines({array: imagery})
        fields[array] = (kind, f"{line.partition(': ')[2]}{_coding(imagery)}.")
    if images.get(IMAGE) == RGB:
        pixels = f"Red, green, blue, 0 to 255; {CHIP_SIZE} x {CHIP_SIZE} pixels."
        fields[IMAGE] = ("sc:Integer", pixels)
    if EMBEDDING in images and images[EMBEDDING].coding.by_cell:
        fields[EMBEDDING_SCALE] = ("sc:Float", "By which the numbers of each cell are multiplied.")
    return fields


def _coding(imagery: Imagery) -> str:
    """How stored numbers become values, in the words of the array's attributes."""
    attributes = imagery.coding.attributes()
    said = ", ".join(f"{name} {value}" for name, value in attributes.items())
    return f"; {said}" if said else ""


def _field(
    identifier: str, kind: str, text: str, source: tuple[str, dict[str, str]] | None = None
) -> dict[str, Any]:
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": identifier,
        "name": identifier.partition("/")[2],
        "description": text,
        "dataType": kind,
    }
    if source:
        file_set, extract = source
        field["source"] = {"fileSet": {"@id": file_set}, "extract": extract}
    return field
