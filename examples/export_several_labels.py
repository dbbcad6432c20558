"""A model that says of each label whether it holds: sigmoid is added, and the loss is measured by F1.

python examples/export_several_labels.py out
"""

import sys

import keras
import numpy as np

from keras_vit.export import export_model, load_predictor

images = np.random.default_rng(0).integers(0, 256, (300, 16, 16, 3)).astype("uint8")
labels = images.mean(axis=(1, 2)) > 128  # red, green, blue
model = keras.Sequential(
    [keras.Input((16, 16, 3)), keras.layers.Rescaling(1 / 127.5, offset=-1.0)]
)
model.add(keras.layers.GlobalAveragePooling2D())
model.add(keras.layers.Dense(3))
model.compile(
    keras.optimizers.Adam(0.1), keras.losses.BinaryCrossentropy(from_logits=True)
)
model.fit(images[100:], labels[100:].astype("float32"), epochs=20, verbose=0)
options = {
    "task": "labels",
    "activation": "sigmoid",
    "label_names": ["red", "green", "blue"],
}
export_model(
    model,
    sys.argv[1],
    inputs=images[:100],
    labels=labels[:100],
    variants=["fp32"],
    **options,
)
predictor = load_predictor(f"{sys.argv[1]}/model_fp32.tflite")
answers = predictor.outputs(images[:100])["probabilities"]
print(f"{np.mean((answers > 0.5) == labels[:100]):.2f} of the labels are right")
