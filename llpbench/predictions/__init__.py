"""Predictions of chips: the table, its checks, and its files."""

from llpbench.predictions.files import read_predictions, write_predictions
from llpbench.predictions.table import check_predictions, make_predictions

__all__ = ["check_predictions", "make_predictions", "read_predictions", "write_predictions"]
