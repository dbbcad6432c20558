"""Models that earlier versions saved, each with inputs and the outputs that the version computed."""

from pathlib import Path

import keras
import numpy as np
import pytest

from keras_vit.io.model_archive import load_model

FOLDER = Path(__file__).parents[1] / "data" / "models_0_1_0"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.keras")), ids=lambda path: path.stem)
def test_a_model_saved_by_version_0_1_0_loads_and_gives_its_outputs(path):
    model, arrays = load_model(path), np.load(path.with_suffix(".npz"))
    outputs = keras.ops.convert_to_numpy(model(arrays["x"], training=False))
    in_bfloat16 = any(layer.compute_dtype == "bfloat16" for layer in model.layers)
    tolerance = 2**-5 if in_bfloat16 else 1e-5
    assert np.abs(outputs - arrays["y"]).max() <= tolerance * max(np.abs(arrays["y"]).max(), 1)


def test_there_are_saved_models_of_each_kind():
    names = {path.stem for path in FOLDER.glob("*.keras")}
    assert names == {"char_transformer", "distilled", "encoder", "map_registers", "rotary", "token"}
