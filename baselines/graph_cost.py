"""What a network computes, counted on the graph that TensorFlow makes of it."""

from __future__ import annotations

from math import prod
from typing import Any

from llpbench_baselines.backend import tf

_TRANSPOSED = {"MatMul": "transpose_a", "BatchMatMulV2": "adj_x"}
"""Matrix products, and what says whether their first matrix is transposed."""


def count_multiply_adds(model: Any) -> int:
    """Count the multiply-adds of all products of a network for one chip.

    Convolutions (plain, by channel, transposed) and matrix products count; what is done once to
    each number (bias, activation, normalisation, pooling) does not.
    """
    chip = tf.TensorSpec([1, *model.input.shape[1:]], model.input.dtype)
    traced = tf.function(lambda images: model(images, training=False), [chip], autograph=False)
    graph = traced.get_concrete_function().graph
    return sum(_multiply_adds(operation) for operation in graph.get_operations())


def _multiply_adds(operation: Any) -> int:
    """Numbers made by an operation times the products that each one sums."""

    def size(tensor: Any) -> int:
        return int(prod(tensor.shape.as_list()))

    inputs, kind = operation.inputs, operation.type
    if kind == "Conv2D":
        return size(operation.outputs[0]) * size(inputs[1]) // int(inputs[1].shape[3])
    if kind == "DepthwiseConv2dNative":
        return size(operation.outputs[0]) * int(prod(inputs[1].shape.as_list()[:2]))
    if kind == "Conv2DBackpropInput":  # a transposed convolution: sizes, kernel, input
        return size(inputs[2]) * size(inputs[1]) // int(inputs[1].shape[3])
    if kind in _TRANSPOSED:
        summed = -2 if operation.get_attr(_TRANSPOSED[kind]) else -1
        return size(operation.outputs[0]) * int(inputs[0].shape[summed])
    return 0
