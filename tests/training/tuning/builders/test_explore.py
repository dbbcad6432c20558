"""Builders and data, checked in this process as a search checks them in another."""

import threading
import warnings

import keras
import keras_tuner
import numpy as np
import pytest
from builders_of_tests import (
    WithOwnFit,
    X,
    Y,
    build,
    build_conditional,
    build_dynamic,
    build_with_scores,
    dense,
    train,
    validation,
)

from keras_vit import InputError
from keras_vit.training.tuning.builders.builder import Builder
from keras_vit.training.tuning.builders.explore import explore
from keras_vit.training.tuning.builders.given_data import GivenData
from keras_vit.training.tuning.builders.sent import Sent
from keras_vit.training.tuning.builders.space import BuilderSpace


def space_of(builder):
    return explore(Builder(Sent.of(builder, "the builder")))[0]


def check(folder, builder=build, train=train, validation=validation, objective=("val_auc", "max")):
    data = {"train": train, "validation": validation}
    space = BuilderSpace(Sent.of(builder, "the builder"), data, objective)
    space.prepare(folder)
    space.add(space.first_work().check())
    return space


def test_the_first_hyperparameters_are_those_of_the_first_model():
    assert [hp.name for hp in space_of(build).space] == ["units", "learning_rate"]
    assert [hp.name for hp in space_of(build_dynamic).space] == ["layers", "units_0"]


def test_every_conditional_scope_is_seen():
    space = space_of(build_conditional)
    assert {hp.name: [c.values for c in hp.conditions] for hp in space.space} == {
        "kind": [], "units": [["dense"]], "depth": [["deep"]],
    }  # fmt: skip
    assert space.values == {"kind": "dense", "units": 2}


@pytest.mark.parametrize("source", [WithOwnFit, WithOwnFit(), "builders_of_tests:WithOwnFit"])
def test_a_hypermodel_may_be_a_class_an_instance_or_a_name(source):
    builder = Builder(Sent.of(source, "the builder"))
    assert builder.has_fit and builder.build(keras_tuner.HyperParameters()).compiled


def test_a_search_describes_what_it_found(tmp_path):
    space = check(tmp_path)
    assert space.description() == {"units": "4, 8, 16", "learning_rate": "0.001 to 0.1, logarithmic"}
    assert space.settings()["build"] == "builders_of_tests:build"
    assert not any(tmp_path.iterdir())  # functions are called by each process


@pytest.mark.parametrize(
    ("builder", "message"),
    [
        ("raises", r"build\(hp\) of builders_of_tests:raises raised KeyError: 1 \(builders_of_tests.py"),
        ("returns_nothing", "compiled keras.Model, received NoneType: end it with `return model`"),
        ("not_compiled", "received one that is not: call model.compile"),
        ("without_hyperparameters", "declares no hyperparameters, so there is nothing to search"),
        ("NUMBER", r"to be a function build\(hp\) .*, received 3"),
        ("absent", "defines no absent, expected there the builder"),
    ],
)
def test_a_builder_that_cannot_be_searched_is_refused_in_one_line(tmp_path, builder, message):
    with pytest.raises(InputError, match=message) as refused:
        check(tmp_path, f"builders_of_tests:{builder}")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"train": "builders_of_tests:absent"}, "defines no absent, expected there train"),
        ({"train": "no_such_module:train"}, "No module no_such_module here"),
        ({"train": "builders_of_tests:three_columns"}, "The model cannot be trained on train: ValueError"),
        ({"train": "builders_of_tests:uneven"}, r"arrays of train to have one length.*\(8, 4\), \(7, 1\)"),
        ({"validation": "builders_of_tests:data_that_raise"}, "validation, .* raised OSError: no such disk"),
        ({"train": (np.zeros((0, 4)), np.zeros((0, 1)))}, "one length of at least 1"),
        ({"train": (np.zeros((3, 4)), None)}, "Expected train to be arrays .x, y., dicts"),
        ({"train": 7}, "Expected train to be arrays"),
        ({"train": ([[1, 2], [3]], [1, 2])}, "Expected train to be arrays"),
        (
            {"objective": ("val_f1", "max")},
            "'val_f1' is not logged. Expected one of auc, loss, val_auc, val_loss",
        ),
        ({"validation": None}, "'val_auc' is not logged.*Did you mean auc. Give validation data for val_"),
        ({"train": X[:60]}, "cannot be trained on train: .*Does it need labels.* Give train as .x, y.."),
        ({"train": (X, np.full_like(Y, np.nan))}, "first batch of train is nan. Expected data without NaN"),
        ({"train": "builders_of_tests:unbatched"}, "A dataset has to be batched: dataset.batch"),
        ({"train": "builders_of_tests:endless"}, "Expected train to end, received a tf.data.Dataset that"),
        (
            {"validation": "builders_of_tests:no_batches"},
            "validation to have at least one batch",
        ),
        (
            {"train": "builders_of_tests:no_batches", "builder": WithOwnFit},
            "train to have at least one batch",
        ),
        ({"validation": "builders_of_tests:NoBatches"}, "validation to have at least one batch"),
        ({"builder": build_with_scores}, "Expected metrics of one number, received 3 from 'scores'"),
    ],
)
def test_data_and_objectives_that_do_not_fit_are_refused_in_one_line(tmp_path, data, message):
    with pytest.raises(InputError, match=message) as refused:
        check(tmp_path, **data)
    assert "\n" not in str(refused.value)


def test_inputs_with_nan_are_reported(tmp_path):
    """Whether they make the loss NaN depends on the model and, behind relu, on the processor."""
    x = X.copy()
    x[3, 1] = np.nan
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            check(tmp_path, train=(x, Y))
        except InputError as error:
            assert "first batch of train is nan" in str(error)
        else:
            assert "first batch of train has NaN" in " ".join(str(warning.message) for warning in found)


def test_arrays_are_mapped_from_files_and_keep_their_nesting(tmp_path):
    x = {"image": np.arange(6.0).reshape(3, 2), "count": np.arange(3)}
    given = GivenData.of((x, [1, 2, 3]), "train", tmp_path)
    inputs, labels = given.load("train")
    assert isinstance(inputs["image"], np.memmap) and labels.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(inputs["image"], x["image"])
    assert GivenData.of((x, [1, 2, 3]), "train", tmp_path).name == given.name
    assert GivenData.of((x, [1, 2, 4]), "train", tmp_path).name != given.name


def test_the_elements_of_a_dataset_are_written_once_and_that_is_said(tmp_path):
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices(train()).shuffle(60).batch(20)
    with pytest.warns(UserWarning, match="written to .* once.*Give a function that returns the dataset"):
        given = GivenData.of(data, "train", tmp_path)
    batches = [[x.numpy() for x, _ in given.load("train")] for _ in range(2)]
    assert [len(batch) for batch in batches[0]] == [20, 20, 20]
    np.testing.assert_array_equal(batches[0], batches[1])
    with pytest.raises(InputError, match="repeats for ever. Leave repeat"):
        GivenData.of(data.repeat(), "validation", tmp_path)


def test_a_pydataset_is_sent_and_one_that_cannot_be_is_refused(tmp_path):
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return train()

    given = GivenData.of(Batches(), "train", tmp_path)
    assert len(given.load("train")) == 2
    broken = Batches()
    broken.lock = threading.Lock()
    with pytest.raises(InputError, match="Give a function that returns it instead"):
        GivenData.of(broken, "train", tmp_path)


def test_lambdas_and_inner_functions_are_sent_with_their_code():
    units = 5

    def inner(hp):
        model = dense(units)
        hp.Int("x", 1, 2)
        model.compile("adam", "mse")
        return model

    sent = Sent.of(inner, "the builder")
    assert sent.pickled and sent.name.endswith("inner")
    assert Builder(sent).build(keras_tuner.HyperParameters()).layers[0].units == 5
