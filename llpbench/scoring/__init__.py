"""Predictions and a dataset make scores."""

from llpbench.scoring.evaluation import digest_predictions, evaluate, score_checked, train_mean
from llpbench.scoring.scores import Scores

__all__ = ["Scores", "digest_predictions", "evaluate", "score_checked", "train_mean"]
