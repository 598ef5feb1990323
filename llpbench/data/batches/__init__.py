"""Shuffled batches of chips or divisions, for numpy, tf.data and PyTorch."""

from llpbench.data.batches.images import Images, iterate_images, load_images
from llpbench.data.batches.loader import Batch, Batches

__all__ = ["Batch", "Batches", "Images", "iterate_images", "load_images"]
