"""Runs TensorFlow's converter: `python -m export.convert_worker SAVED_MODEL VARIANT OUT.tflite`."""

import sys
from pathlib import Path

import tensorflow as tf


def main():
    folder, variant, path = sys.argv[1:]
    converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serve"])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if variant != "fp32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    Path(path).write_bytes(converter.convert())


if __name__ == "__main__":
    main()
