import json
import os

import keras
import numpy as np
import pytest
from PIL import Image

from keras_vit import ConditionError, InputError
from keras_vit.__main__ import main
from keras_vit.errors import Notice
from keras_vit.export import export_model, load_predictor
from keras_vit.export.mobile import registry
from keras_vit.export.tflite import writer
from keras_vit.export.variants import DEFAULT, FILES
from keras_vit.layers import TransformerEncoder
from keras_vit.models import vit

CLASSIFIER = {"task": "classification", "activation": "softmax"}


@pytest.fixture(scope="module")
def exported(model, held_out, names, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "export"
    model.save(folder.parent / "model.keras")
    return folder, export_model(
        model, folder, inputs=held_out[0], labels=held_out[1], label_names=names, max_drop=1, **CLASSIFIER
    )


def test_every_variant_is_verified_and_described(exported):
    folder, rows = exported
    assert sorted(os.listdir(folder)) == sorted(
        [*(FILES[v] for v in DEFAULT), "app.md", "export.json", "labels.txt"]
    )
    assert json.loads((folder / "export.json").read_text())["variants"] == rows
    for row in rows:
        assert row["failure"] is None
        assert row["num_items"] == 300
        assert row["metric"] == "accuracy" and row["reference_score"] > 0.8
        assert row["drop"] <= 1  # three images of 300
        assert row["output_error"] < 0.03  # of the outputs' spread: twice what int8 was seen to make
        assert row["agreement"] >= row["same_decisions"] > 0.98


def test_smaller_formats_are_smaller(exported):
    sizes = {row["variant"]: row["size"] for row in exported[1]}
    assert sizes["dynamic_int8"] < sizes["fp16"] < sizes["fp32"] < sizes["savedmodel"]


def test_all_forms_of_the_model_answer_alike(exported, model, held_out, names, probabilities_of):
    folder, _ = exported
    reference = probabilities_of(model, held_out[0][:20])
    for path in (folder.parent / "model.keras", *(folder / FILES[v] for v in DEFAULT)):
        predictor = load_predictor(path)
        assert predictor.image_shape == (8, 8, 3 if path.suffix == ".tflite" else 1)  # apps give RGB
        # int8 weights: steps of 1/127 of the largest weight; 0.05 is ten times what is seen here.
        tolerance = 0.05 if "int8" in path.name else 0.005 if "fp16" in path.name else 1e-5
        np.testing.assert_allclose(predictor.probabilities(held_out[0][:20]), reference, atol=tolerance)
        if path.suffix != ".keras":
            assert predictor.label_names == names


def test_a_grey_model_answers_for_a_colour_file_alike_from_all_forms(exported, tmp_path, capsys):
    colours = np.random.default_rng(0).integers(0, 256, (21, 17, 3)).astype("uint8")
    Image.fromarray(colours).save(tmp_path / "colours.png")
    accuracies = []
    for path in (
        exported[0].parent / "model.keras",
        *(exported[0] / FILES[v] for v in ("savedmodel", "fp32")),
    ):
        assert main(["predict", str(path), str(tmp_path / "colours.png"), "--top", "10"]) == 0
        rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
        accuracies.append(sorted(float(row[-1]) for row in rows))
    np.testing.assert_allclose(accuracies, [accuracies[0]] * 3, atol=1.01e-4)  # four decimals are shown


def test_tflite_files_hold_builtin_operators_and_a_batch_of_one(exported):
    from ai_edge_litert.interpreter import Interpreter

    for file in (FILES[v] for v in DEFAULT):
        if file.endswith(".tflite"):
            interpreter = Interpreter(str(exported[0] / file))
            details = interpreter._get_ops_details()
            assert not [op["op_name"] for op in details if op["op_name"].startswith(("Flex", "CUSTOM"))]
            (inside,) = interpreter.get_input_details()
            assert inside["shape"].tolist() == inside["shape_signature"].tolist() == [1, 8, 8, 3]


@pytest.mark.slow
def test_a_file_for_several_images_at_once_answers_for_any_number_of_them(
    digits, held_out, names, tmp_path, probabilities_of
):
    built = vit("Pico/4", num_layers=1, channels=1, num_classes=10, pooling="gap")
    images, labels = held_out[0][:7], held_out[1][:7]
    rows = export_model(
        built,
        tmp_path,
        inputs=images,
        labels=labels,
        label_names=names,
        variants=("fp32", "mixed_int8"),
        max_drop=100,
        calibration=digits[0][300:340],
        attention=True,
        batch_size=4,
        **CLASSIFIER,
    )
    assert [(row["batch_size"], row["input_dtype"], row["attention"]) for row in rows] == [
        (4, "float32", True),
        (4, "float32", True),
    ]
    assert rows[0]["max_difference"] < 1e-5 > rows[0]["max_attention_difference"]
    predictor = load_predictor(tmp_path / FILES["fp32"])
    reference = probabilities_of(built, images)
    for count in (1, 4, 7):
        np.testing.assert_allclose(predictor.probabilities(images[:count]), reference[:count], atol=1e-5)
        assert predictor.attention_maps(images[:count]).shape == (count, 2, 2)


@pytest.mark.slow
def test_a_variant_past_the_allowed_drop_is_removed_and_the_others_stay(
    model, held_out, names, photo_form, tmp_path, monkeypatch
):
    """The fp16 file is made from a model whose head was shuffled, so that its accuracy really falls."""
    write = writer.write_tflite
    broken = keras.models.clone_model(model)
    broken.set_weights(model.get_weights())
    broken.get_layer("head").bias.assign(50 * np.eye(10)[3])

    def write_broken(form, path, options=()):
        write(photo_form(broken) if "float16" in options else form, path, options)

    monkeypatch.setattr(writer, "write_tflite", write_broken)
    (tmp_path / FILES["fp16"]).write_text("of an earlier export")
    seen = []
    with pytest.raises(ConditionError, match=r"fp16 \(lost \d\d"):
        export_model(
            model,
            tmp_path,
            label_names=names,
            inputs=held_out[0],
            labels=held_out[1],
            variants=("fp32", "fp16"),
            max_drop=1.0,
            report=seen.extend,
            **CLASSIFIER,
        )
    assert sorted(os.listdir(tmp_path)) == ["app.md", "export.json", "labels.txt", FILES["fp32"]]
    assert [row["failure"] is None for row in seen] == [True, False]


@pytest.mark.slow
def test_a_float32_file_that_is_not_the_model_is_refused_whatever_its_accuracy(
    model, held_out, names, photo_form, tmp_path, monkeypatch
):
    write = writer.write_tflite
    other = keras.models.clone_model(model)
    other.set_weights([1.01 * w for w in model.get_weights()])
    monkeypatch.setattr(writer, "write_tflite", lambda _, *rest: write(photo_form(other), *rest))
    with pytest.raises(ConditionError, match="differs from the model"):
        export_model(
            model,
            tmp_path,
            label_names=names,
            inputs=held_out[0],
            labels=held_out[1],
            variants=("fp32",),
            max_drop=100,
            **CLASSIFIER,
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "mixed_bfloat16"},
        {"pooling": "map", "num_registers": 2, "qk_norm": True},
        {"pooling": "token", "activation": "swiglu", "position_embedding": "sincos_2d"},
        {"norm_first": False, "layer_scale": 0.1, "position_embedding": "none"},
    ],
    ids=str,
)
def test_every_kind_of_vit_becomes_a_tflite_file(options, held_out, names, tmp_path):
    options = {"pooling": "gap", **options}
    built = vit("Pico/4", num_layers=1, channels=1, num_classes=10, **options)
    (row,) = export_model(
        built,
        tmp_path,
        label_names=names,
        inputs=held_out[0],
        labels=held_out[1],
        variants=("fp32",),
        **CLASSIFIER,
    )
    assert row["max_difference"] < 1e-4


def test_what_does_not_fit_together_is_refused(model, held_out, names, tmp_path):
    images, labels = held_out

    def export(model, **changed):
        given = {"inputs": images, "labels": labels, "label_names": names, **CLASSIFIER, **changed}
        export_model(model, tmp_path / "x", **given)

    with pytest.raises(InputError, match="Unknown variant 'int2'"):
        export(model, variants=("int2",))
    with pytest.raises(InputError, match="one label per output"):
        export(model, label_names=names[:9])
    with pytest.raises(
        InputError, match=r"Expected items \(n, 8, 8, 1\) for 'images', received \(0, 8, 8, 1\)"
    ):
        export(model, inputs=images[:0], labels=labels[:0])
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
def test_a_layer_of_ours_without_its_mobile_form_is_reported(held_out, names, tmp_path, monkeypatch):
    known = registry._KNOWN_OPTIONS[TransformerEncoder] - {"qk_norm"}
    monkeypatch.setitem(registry._KNOWN_OPTIONS, TransformerEncoder, known)
    model = vit("Pico/4", num_layers=1, channels=1, num_classes=10, qk_norm=True)
    images, labels = (array[:10] for array in held_out)
    with pytest.warns(Notice, match=r"slower on a phone: encoder \(TransformerEncoder\)"):
        export_model(
            model,
            tmp_path,
            inputs=images,
            labels=labels,
            label_names=names,
            variants=["fp32"],
            max_drop=100,
            **CLASSIFIER,
        )
