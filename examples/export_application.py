"""A model of keras.applications as it is, with its own softmax, from a `tf.data.Dataset`.

python examples/export_application.py out
"""

import sys

import keras
import numpy as np
import tensorflow as tf

from keras_vit.export import export_model

# or with weights, as of ImageNet or of yours
model = keras.applications.MobileNet((64, 64, 3), alpha=0.25, weights=None, classes=5)
images = np.random.default_rng(0).integers(0, 256, (64, 64, 64, 3)).astype("float32")
# what the app has to compute, too
prepared = keras.applications.mobilenet.preprocess_input(images)
held_out = tf.data.Dataset.from_tensor_slices((prepared, np.arange(64) % 5)).batch(32)
rows = export_model(
    model,
    sys.argv[1],
    inputs=held_out,
    task="classification",
    variants=["fp32", "fp16"],
)
for row in rows:
    print(
        row["variant"],
        row["metric"],
        row["score"],
        "and of the model",
        row["reference_score"],
    )
