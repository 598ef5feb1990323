"""The benchmark for learning from label proportions on satellite imagery."""

from llpbench._version import __version__

__all__ = ["__version__"]
