"""Recipes with a teacher."""

import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.errors import Notice
from keras_vit.io.model_archive import load_model
from keras_vit.training import ImageRecipe, train
from keras_vit.training.fit import fit, fit_task
from keras_vit.training.tasks import task_of

TEACHER = ImageRecipe(data="digits", model="mlp", hidden_dims=64, epochs=2, learning_rate=3e-3)
STUDENT = TEACHER.replace(hidden_dims=16, dropout_rate=0.2, epochs=3, crop_padding=1, mixup_alpha=0.2)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    path = tmp_path_factory.mktemp("teacher") / "run"
    return train(TEACHER, path)


def test_a_run_teaches_another_one(teacher, tmp_path):
    recipe = TEACHER.replace(distill=str(teacher.folder.path), distill_temperature=2.0, learning_rate=0.01)
    run = train(recipe, tmp_path / "run")
    assert run.metrics["accuracy"] > 0.5
    model = load_model(run.folder.model)
    assert len(model.weights) == len(run.model.weights) == 4  # the student's alone
    images = run.data.test.images[:5]
    np.testing.assert_array_equal(model.predict(images, verbose=0), run.model.predict(images, verbose=0))


def test_a_run_with_a_teacher_continues_exactly(teacher, tmp_path):
    recipe = STUDENT.replace(distill=str(teacher.folder.path), distill_kind="hard", distill_weight=0.7)
    whole = fit(recipe, tmp_path / "whole", data=teacher.data)
    fit_task(task_of(recipe), tmp_path / "parts", data=teacher.data, until_epoch=1)
    again = fit(recipe, tmp_path / "parts", data=teacher.data, resume=True)
    for weight, expected in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_another_teacher_is_noticed_when_a_run_continues(teacher, tmp_path):
    file = tmp_path / "teacher.keras"
    teacher.model.save(file)
    recipe = STUDENT.replace(distill=str(file))
    with pytest.warns(
        Notice, match="the teacher's outputs are taken to be the data's classes, in this order"
    ):
        fit_task(task_of(recipe), tmp_path / "run", data=teacher.data, until_epoch=1)
    changed = keras.models.clone_model(teacher.model)
    changed.save(file)
    with pytest.raises(InputError, match="weights of the teacher differ from those that"):
        fit(recipe, tmp_path / "run", data=teacher.data, resume=True)


def test_a_teacher_that_returns_probabilities_is_told_from_one_of_logits(teacher, tmp_path):
    model = keras.Model(teacher.model.inputs, keras.layers.Softmax()(teacher.model.outputs[0]))
    model.save(tmp_path / "teacher.keras")
    recipe = STUDENT.replace(distill=str(tmp_path / "teacher.keras"), distill_weight=1.0, epochs=1)
    with pytest.warns(Notice, match="outputs are probabilities: their logarithms are its logits"):
        of_probabilities = fit(recipe, tmp_path / "a", data=teacher.data)
    of_logits = fit(recipe.replace(distill=str(teacher.folder.path)), tmp_path / "b", data=teacher.data)
    for a, b in zip(of_probabilities.get_weights(), of_logits.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4)  # roundings of a logarithm, in some steps of Adam


def test_the_features_of_a_module_of_ones_own_teach(teacher, own_module, tmp_path):
    own_module(
        "own_teacher",
        "import keras\n"
        "def build():\n"
        "    keras.utils.set_random_seed(0)\n"
        "    layers = [keras.layers.Flatten(), keras.layers.Dense(7, name='seven')]\n"
        "    return keras.Sequential([keras.Input((8, 8, 1)), *layers])\n",
    )
    layers = [layer.name for layer in teacher.model.layers]
    recipe = STUDENT.replace(distill="own_teacher:build", distill_kind="features", epochs=1)
    with pytest.raises(InputError, match="Expected student_layer to be a layer of the student"):
        fit(recipe, tmp_path / "refused", data=teacher.data)
    fit(recipe.replace(distill_layers=f"{layers[-2]}:seven"), tmp_path / "run", data=teacher.data)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"distill": "absent.keras"}, "absent.keras"),
        ({"distill": "nobody/nothing-of-this-name.safetensors"}, "nobody/nothing-of-this-name"),
        ({"distill_kind": "hard"}, "distill=none has no distill_kind"),
        ({"distill": "a", "distill_kind": "hard", "distill_temperature": 2.0}, "distill_kind=hard has no"),
        ({"distill": "a", "pretrained": "b", "tuning": "head"}, "tuning=head has no distill"),
    ],
)
def test_what_is_no_teacher_is_refused_in_one_line(fields, message, teacher, tmp_path):
    with pytest.raises(InputError, match=message) as caught:
        fit(STUDENT.replace(**fields), tmp_path / "run", data=teacher.data)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run" / "recipe.json").exists()


def test_other_classes_are_refused(teacher, tmp_path):
    (tmp_path / "run").mkdir()
    teacher.model.save(tmp_path / "run" / "model.keras")
    (tmp_path / "run" / "labels.txt").write_text("".join(f"{9 - i}\n" for i in range(10)))
    recipe = STUDENT.replace(distill=str(tmp_path / "run"))
    with pytest.raises(InputError, match="has the classes 9, 8, 7, 6, 5 ..., and the data 0, 1, 2"):
        fit(recipe, tmp_path / "student", data=teacher.data)
