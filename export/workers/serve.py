"""Runs the signature `serving_default` of a SavedModel once on zeros."""

import tensorflow as tf


def run(path):
    serve = tf.saved_model.load(path).signatures["serving_default"]
    specs = serve.structured_input_signature[1]
    zeros = {name: tf.zeros([size or 1 for size in spec.shape], spec.dtype) for name, spec in specs.items()}
    serve(**zeros)
