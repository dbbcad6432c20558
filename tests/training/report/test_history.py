import numpy as np
import pytest

from keras_vit.errors import InputError
from keras_vit.training.callbacks.history_file import COLUMNS
from keras_vit.training.report.history import read_history, training_curves
from keras_vit.training.report.style import drawing, save

HEAD = "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds\n"


def test_columns_are_read_as_numbers(tmp_path):
    path = tmp_path / "history.csv"
    path.write_text(HEAD + "1,2.5,0.1,2.4,0.2,0.001,3.5\n2,1.5,0.3,1.4,0.4,5e-4,3.25\n")
    history = read_history(path)
    assert history["val_accuracy"].tolist() == [0.2, 0.4]
    assert history["seconds"].sum() == 6.75


def test_no_file_and_no_epoch_are_an_empty_history(tmp_path):
    assert read_history(tmp_path / "none.csv") == {}
    (tmp_path / "history.csv").write_text(HEAD)
    assert read_history(tmp_path / "history.csv") == {}


@pytest.mark.parametrize("text", ["epoch,loss\n1,2\n", HEAD + "1,a,1,1,1,1,1\n", HEAD + "1,2\n"])
def test_a_file_that_is_not_a_history_is_refused_by_name(tmp_path, text):
    path = tmp_path / "history.csv"
    path.write_text(text)
    with pytest.raises(InputError, match="history.csv"):
        read_history(path)


def test_a_single_epoch_is_drawn_as_points_at_epoch_one(tmp_path):
    with drawing():
        canvas = training_curves({column: np.array([1.0]) for column in COLUMNS})
        save(canvas, tmp_path / "curves.png")
        loss, accuracy, rate = canvas.axes
        assert [tick for tick in rate.get_xticks() if 0.5 <= tick <= 1.5] == [1]
    assert all(line.get_marker() == "o" for line in loss.lines)
    assert [axes.get_ylabel() for axes in (loss, accuracy, rate)] == [
        "Loss (nats)",
        "Accuracy",
        "Learning rate",
    ]


@pytest.mark.parametrize("content", [b"\xff\xfe", bytes(500), b"epoch,loss\n1,2\n", b"\0,\0\n\0"])
def test_a_file_that_is_not_a_history_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "history.csv").write_bytes(content)
    with pytest.raises(InputError, match="history.csv") as caught:
        read_history(tmp_path / "history.csv")
    assert "\n" not in str(caught.value)
