"""Bytes of a file inside a TensorFlow graph, as far as it has them."""

import tensorflow as tf


def bytes_at(data, start, count):
    """Returns some bytes of a file; zeros behind its end. `start` may be any int32."""
    start = tf.clip_by_value(start, 0, tf.strings.length(data))
    found = tf.strings.substr(data, start, count)
    return tf.strings.substr(tf.strings.join([found, bytes(count)]), 0, count)
