"""Pictures of datasets and scores; every function returns a matplotlib figure."""

from llpbench.plots.chips import draw_chip

__all__ = ["draw_chip"]
