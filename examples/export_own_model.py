"""A functional model of two inputs and two outputs as TFLite files, compared with the model by name.

python examples/export_own_model.py out
"""

import sys

import keras
import numpy as np

from keras_vit.export import export_model, load_predictor

sensors, place = keras.Input((24, 3), name="sensors"), keras.Input((2,), name="place")
x = keras.layers.GlobalAveragePooling1D()(
    keras.layers.Conv1D(16, 5, activation="relu")(sensors)
)
x = keras.layers.Concatenate()([x, place])
model = keras.Model(
    [sensors, place],
    {"kind": keras.layers.Dense(4)(x), "load": keras.layers.Dense(1)(x)},
)
random = np.random.default_rng(0)  # train it here
inputs = {
    "sensors": random.normal(size=(200, 24, 3)),
    "place": random.normal(size=(200, 2)),
}
rows = export_model(
    model,
    sys.argv[1],
    inputs=inputs,
    variants=["fp32", "full_int8"],
    calibration=inputs,
)
for row in rows:
    print(
        row["variant"],
        f"{row['size']:,} bytes, {row['drop']:.3f} % of the variance lost",
    )
answers = load_predictor(f"{sys.argv[1]}/model_full_int8.tflite").outputs(inputs)
print({name: values.shape for name, values in answers.items()})
