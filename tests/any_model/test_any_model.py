"""Each model of others becomes files that return its own outputs, or is refused for the right reason."""

import keras
import numpy as np
import pytest
from models_of_others import CASES, built

from keras_vit import ConditionError, InputError
from keras_vit.export import export_model, load_predictor
from keras_vit.export.variants import FILES

TOLERANCE = 1e-4  # of the largest value of an output: float32 sums in another order
VARIANTS = ("savedmodel", "fp32")
RIGHT = [name for name, case in CASES.items() if case.refusal is None]
FEW = {  # one of each kind of outputs, inputs and ways to build; all with `-m slow`
    "logits of a functional model",
    "a masked sequence",
    "regression, one number",
    "a map of classes",
    "a subclass",
}
REFUSED = [name for name, case in CASES.items() if case.refusal]


def own_outputs(model, inputs):
    """The outputs of a model in float32, flat."""
    values = keras.tree.flatten(model.predict(inputs, verbose=0))
    return [np.asarray(keras.ops.cast(value, "float32")) for value in values]


@pytest.mark.parametrize(
    "name", [name if name in FEW else pytest.param(name, marks=pytest.mark.slow) for name in RIGHT]
)
def test_files_return_what_the_model_returns(name, tmp_path):
    model, inputs = built(CASES[name])
    options = {"max_drop": 100, **CASES[name].options}
    rows = export_model(model, tmp_path, inputs=inputs, variants=VARIANTS, **options)
    assert all(row["max_difference"] <= TOLERANCE for row in rows)
    if "bfloat16" in name or "int8" in name:
        return  # what such a model returns itself has the precision of some bits
    expected = own_outputs(model, inputs)
    if "activation" in options:
        expected = [np.asarray(keras.ops.softmax(value)) for value in expected]
    for variant in VARIANTS:
        found = load_predictor(tmp_path / FILES[variant]).outputs(inputs)
        for value, output in zip(expected, found.values(), strict=True):
            np.testing.assert_allclose(output, value, rtol=0, atol=TOLERANCE * np.abs(value).max())


@pytest.mark.parametrize(
    "variants",
    [("fp32",), pytest.param(("savedmodel", "fp16", "dynamic_int8", "full_int8"), marks=pytest.mark.slow)],
)
def test_an_input_and_one_tensor_twice_may_be_among_the_outputs(tmp_path, variants):
    x = keras.Input((4,), name="x")
    y = keras.layers.Dense(2, name="y")(x)
    model = keras.Model(x, {"given": x, "once": y, "again": y})
    inputs = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
    export_model(model, tmp_path, inputs=inputs, calibration=inputs, variants=variants)
    for variant in variants:
        found = load_predictor(tmp_path / FILES[variant]).outputs(inputs)
        assert set(found) == {"given", "once", "again"}
        np.testing.assert_allclose(found["given"], inputs, atol=0.05)
        np.testing.assert_array_equal(found["once"], found["again"])


@pytest.mark.parametrize("name", REFUSED)
def test_a_model_that_no_file_can_be_is_refused(name, tmp_path):
    model, inputs = built(CASES[name])
    options = {"variants": "fp32", **CASES[name].options}
    with pytest.raises((InputError, ConditionError), match=CASES[name].refusal):
        export_model(model, tmp_path, inputs=inputs, **options)
    assert not (tmp_path / FILES["fp32"]).exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("unroll", "reason"),
    [(False, "values in a loop.* are not known: take dynamic_int8"), (True, "LiteRT cannot run the file: ")],
)
def test_fixed_ranges_of_a_recurrent_layer_are_refused(unroll, reason, tmp_path):
    inputs = np.random.default_rng(0).normal(size=(40, 6, 3)).astype("float32")
    model = keras.Sequential([keras.Input((6, 3)), keras.layers.LSTM(8, unroll=unroll)])
    with pytest.raises(ConditionError, match=f"full_int8.*{reason}"):
        export_model(model, tmp_path, inputs=inputs, calibration=inputs, variants="full_int8", max_drop=100)
    assert not (tmp_path / FILES["full_int8"]).exists()


@pytest.mark.slow
def test_unit_vectors_of_zeros_are_zeros_in_float16_too(tmp_path):
    model, inputs = built(CASES["unit vectors, one of them of zeros"])
    export_model(model, tmp_path, inputs=inputs, variants="fp16")
    (found,) = load_predictor(tmp_path / FILES["fp16"]).outputs(inputs).values()
    np.testing.assert_allclose(found, model.predict(inputs, verbose=0), atol=1e-3)


@pytest.mark.slow
def test_a_file_whose_signature_does_not_fit_is_refused(tmp_path):
    model, inputs = built(CASES["best classes as integers"])
    options = {"inputs": inputs, "calibration": inputs, "max_drop": 100}
    with pytest.raises(ConditionError, match="full_int8 .*does not have what its signature calls dense"):
        export_model(model, tmp_path, variants="full_int8", **options)
    assert not (tmp_path / FILES["full_int8"]).exists()
