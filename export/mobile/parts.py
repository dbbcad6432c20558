"""Equal parts of a tensor, as slices.

One SPLIT would be right on the CPU and as fast, but LiteRT's GPU delegate computes wrong parts of it in some
graphs (docs/results/gpu.md).
"""

import tensorflow as tf


def parts(x: tf.Tensor, count: int, axis: int) -> list[tf.Tensor]:
    """Returns `count` tensors, which are the parts of `x` along an axis from 0 on."""
    sizes = [-1 if size is None else size for size in x.shape]  # -1: all of it
    sizes[axis] //= count
    starts = ([i * sizes[axis] if each == axis else 0 for each in range(len(sizes))] for i in range(count))
    return [tf.slice(x, start, sizes) for start in starts]
