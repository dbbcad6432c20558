import keras_tuner
import pytest

from keras_vit import InputError
from keras_vit.training.tuning.objectives import read_objective
from keras_vit.training.tuning.plan import plan


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("val_accuracy", ("val_accuracy", "max")),
        ("loss", ("loss", "min")),
        ("val_auc", ("val_auc", "max")),
        ("val_f1_score", ("val_f1_score", "max")),  # KerasTuner would minimize it
        ("val_mean_io_u", ("val_mean_io_u", "max")),
        ("val_r2_score", ("val_r2_score", "max")),
        ("val_mean_absolute_error", ("val_mean_absolute_error", "min")),
        ("min:val_price", ("val_price", "min")),
        ("max:val_f1", ("val_f1", "max")),
        (keras_tuner.Objective("val_price", "min"), ("val_price", "min")),
    ],
)
def test_an_objective_has_a_direction(given, expected):
    assert read_objective(given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("val_price", "Write max:val_price or min:val_price"),
        ("val_cosine_similarity", "Write max:val_cosine_similarity"),
        ("least:val_loss", "min:NAME or max:NAME, received 'least:val_loss'"),
        ("min:", "min:NAME or max:NAME"),
        (["val_loss", "val_accuracy"], "Expected one objective"),
        ("val_loss,val_accuracy", "Expected one objective, .* received val_loss,val_accuracy"),
        (3, "Expected one objective"),
    ],
)
def test_an_objective_without_a_direction_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        read_objective(given)


def test_a_search_for_recipes_has_the_metrics_that_its_task_logs():
    assert plan("vit_digits").objective == ("val_accuracy", "max")
    smoothing = ["label_smoothing=0"]
    assert plan("vit_digits", smoothing, objective="min:val_loss").objective == ("val_loss", "min")
    objective = keras_tuner.Objective("val_accuracy", "max")
    assert plan("vit_digits", objective=objective).objective == ("val_accuracy", "max")
    with pytest.raises(InputError, match="'val_auc' is not logged. Expected --objective val_loss or val_acc"):
        plan("vit_digits", objective="val_auc")
