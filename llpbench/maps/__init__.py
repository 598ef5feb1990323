"""Predictions as maps: georeferenced rasters, tables with outlines, a picture."""

from llpbench.maps.writing import MapFiles, write_map

__all__ = ["MapFiles", "write_map"]
