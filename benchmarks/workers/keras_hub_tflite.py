"""Writes KerasHub's Vision Transformer as TFLite files: `keras_hub_tflite.py SIZES FP32.tflite INT8.tflite`.

`SIZES` is JSON. The files have a batch of one, which is faster than the export in KerasHub's guide; the
second has int8 weights by the converter's own default (dynamic range).
"""

import json
import sys
import tempfile
from pathlib import Path

import keras
import keras_hub
import tensorflow as tf


def main():
    sizes, float_path, int8_path = json.loads(sys.argv[1]), *sys.argv[2:]
    side = sizes["image_size"]
    backbone = keras_hub.models.ViTBackbone(
        image_shape=(side, side, 3),
        patch_size=(sizes["patch_size"], sizes["patch_size"]),
        num_layers=sizes["num_layers"],
        num_heads=sizes["num_heads"],
        hidden_dim=sizes["hidden_dim"],
        mlp_dim=sizes["mlp_dim"],
    )
    model = keras_hub.models.ViTImageClassifier(
        backbone, num_classes=sizes["num_classes"], pooling="token", activation="softmax"
    )
    with tempfile.TemporaryDirectory() as folder:
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint(
            "serve",
            lambda images: model(images, training=False),
            input_signature=[tf.TensorSpec((1, side, side, 3), tf.float32)],
        )
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serve"])
        Path(float_path).write_bytes(converter.convert())
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        Path(int8_path).write_bytes(converter.convert())


if __name__ == "__main__":
    main()
