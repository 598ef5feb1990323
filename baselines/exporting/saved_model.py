"""A graph as a SavedModel of TensorFlow, the card among its further assets."""

from __future__ import annotations

from pathlib import Path

from llpbench.exported.card import NAME, Card
from llpbench_baselines.backend import tf
from llpbench_baselines.exporting.tracing import TracedGraph

EXTRA = "assets.extra"
"""The folder in which TensorFlow keeps what is not its own."""


def write_saved_model(path: Path, graph: TracedGraph, card: Card) -> None:
    """Write a graph, whose weights are constants, into a new folder, under ``serving_default``."""
    module = tf.Module()
    frozen = graph.frozen()
    names = sorted(graph.function.get_concrete_function().structured_outputs)

    def estimate(images):  # type: ignore[no-untyped-def]
        return dict(zip(names, frozen(images), strict=True))

    module.estimate = tf.function(estimate, [graph.signature], autograph=False)
    tf.saved_model.save(module, str(path), signatures=module.estimate)
    (path / EXTRA).mkdir()
    (path / EXTRA / NAME).write_text(card.model_dump_json(), encoding="utf-8")
