import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.io.label_kinds import CLASS, NUMBERS, SEVERAL, SOFT
from keras_vit.training.data.label_arrays import labels_of_array, labels_of_splits
from keras_vit.training.data.label_columns import labels_of_columns
from keras_vit.training.data.label_kinds import encoded, strata, words_of_labels


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_integers_are_classes(shape):
    labels = labels_of_array(np.arange(3, dtype=np.uint8).reshape(shape), "y")
    assert labels.kind == CLASS and labels.values.dtype == np.int32 and labels.values.tolist() == [0, 1, 2]
    assert labels.lines == []


@pytest.mark.parametrize(
    ("array", "kind", "values", "names"),
    [
        (np.eye(3, dtype=int), CLASS, [0, 1, 2], ()),
        (np.array([[1, 1, 0], [0, 0, 0]]), SEVERAL, [[1, 1, 0], [0, 0, 0]], ("0", "1", "2")),
        (np.array([0.5, 2.0]), NUMBERS, [[0.5], [2]], ("value",)),
        (np.array([[18, 1.5], [20, 2.5]]), NUMBERS, [[18, 1.5], [20, 2.5]], ("value 0", "value 1")),
        (np.array([[0.25, 0.75], [1, 0]]), SOFT, [[0.25, 0.75], [1, 0]], ("0", "1")),
    ],
)
def test_an_array_shows_the_kind_of_its_labels(array, kind, values, names):
    labels = labels_of_array(array, "y")
    assert (labels.kind, labels.values.tolist(), labels.names) == (kind, values, names)
    assert kind == CLASS or "y shows" in labels.reading


@pytest.mark.parametrize(
    ("array", "kind", "message"),
    [
        ([0.0, 1.0], None, "whole numbers as float64, classes or numbers"),
        ([-1, 0], None, "class indices from 0, received -1 to 0"),
        ([0, 2**40], None, "class indices from 0"),
        ([0.5, 1.0], CLASS, "integers from 0, received float64 values"),
        ([[1, 1], [0, 1]], CLASS, "label_kind=several"),
        ([[0.5, 1.0]], SEVERAL, "0 or 1 in y for several labels, received 0.5"),
        ([[0.5, 1.0]], SOFT, "sum to 1"),
        ([0.5, np.nan], None, "NaN or infinite ones in row 2"),
        (["cat", "dog"], None, "to be numbers, received <U3"),
        (np.zeros((2, 2, 2)), None, r"received \(2, 2, 2\)"),
    ],
)
def test_labels_of_no_kind_or_two_are_refused(array, kind, message):
    with pytest.raises(InputError, match=message):
        labels_of_array(np.array(array), "y", kind)


def test_integers_can_be_numbers():
    labels = labels_of_array(np.array([18, 70]), "ages", NUMBERS)
    assert labels.kind == NUMBERS and labels.values.tolist() == [[18], [70]] and labels.reading is None


def test_splits_have_one_kind():
    arrays = {"train": np.array([[1, 1], [0, 1]]), "test": np.eye(2, dtype=int)}
    values, labels = labels_of_splits(arrays, {"train": "y_train", "test": "y_test"})
    assert labels.kind == SEVERAL and values["test"].tolist() == [[1, 0], [0, 1]]
    with pytest.raises(InputError, match=r"one kind in all splits, received y_train \(2, 2\), y_test"):
        labels_of_splits({**arrays, "test": np.array([0, 1])}, {"train": "y_train", "test": "y_test"})


@pytest.mark.parametrize(
    ("columns", "given", "kind", "names", "values"),
    [
        ({"label": ["dog", "cat"]}, None, CLASS, ("cat", "dog"), [1, 0]),
        ({"tags": ["a; b", "", "b"]}, SEVERAL, SEVERAL, ("a", "b"), [[1, 1], [0, 0], [0, 1]]),
        ({"tags": ["a,b", "b"]}, SEVERAL, SEVERAL, ("a", "b"), [[1, 1], [0, 1]]),
        ({"tags": [["b", "a"], []]}, None, SEVERAL, ("a", "b"), [[1, 1], [0, 0]]),
        ({"tags": ["a|b", "b"]}, CLASS, CLASS, ("a|b", "b"), [0, 1]),
        ({"age": ["18.5", "70"]}, None, NUMBERS, ("age",), [[18.5], [70]]),
        ({"age": ["18", "70"]}, NUMBERS, NUMBERS, ("age",), [[18], [70]]),
        ({"age": ["18", "70"]}, None, CLASS, ("18", "70"), [0, 1]),
        ({"x": ["1", "0"], "y": ["1", "1"]}, None, SEVERAL, ("x", "y"), [[1, 1], [0, 1]]),
        ({"x": ["1", "0"], "y": ["0", "1"]}, None, CLASS, ("x", "y"), [0, 1]),
        ({"x": ["1", "0"], "y": ["0", "1"]}, SEVERAL, SEVERAL, ("x", "y"), [[1, 0], [0, 1]]),
        ({"x": ["0.3", "0"], "y": ["0.7", "1"]}, None, SOFT, ("x", "y"), [[0.3, 0.7], [0, 1]]),
        ({"x": ["0.3", "5"], "y": ["0.7", "1"]}, None, NUMBERS, ("x", "y"), [[0.3, 0.7], [5, 1]]),
        ({"x": ["True", "false"], "y": ["yes", "Yes"]}, None, SEVERAL, ("x", "y"), [[1, 1], [0, 1]]),
        ({"x": [True, False], "y": [True, True]}, None, SEVERAL, ("x", "y"), [[1, 1], [0, 1]]),
        ({"age": ["18,5", "70"]}, None, NUMBERS, ("age",), [[18.5], [70]]),
        ({"x": ["0,3", "-5,25"], "y": ["7", "1"]}, None, NUMBERS, ("x", "y"), [[0.3, 7], [-5.25, 1]]),
        ({"tags": ["1,2", "2"]}, SEVERAL, SEVERAL, ("1", "2"), [[1, 1], [0, 1]]),
        ({"tags": [["a", None], [None, "b"]]}, None, SEVERAL, ("a", "b"), [[1, 0], [0, 1]]),
        ({"box": [[1.5, 2.0], [3.0, 4.0]]}, None, NUMBERS, ("value 0", "value 1"), [[1.5, 2], [3, 4]]),
    ],
)
def test_columns_of_a_table_are_read(columns, given, kind, names, values):
    labels = labels_of_columns(columns, "t.csv", given)
    assert (labels.kind, labels.names) == (kind, names)
    np.testing.assert_array_equal(labels.values, np.array(values, labels.values.dtype))


@pytest.mark.parametrize(
    ("columns", "given", "message"),
    [
        ({"tags": ["a;b", "b"]}, None, r"'a;b' in row 1 of column tags of t.csv one class or several labels"),
        ({"age": ["18", "old"]}, NUMBERS, "number in column age of t.csv .*, received 'old' in row 2"),
        ({"age": ["18", ""]}, NUMBERS, "received an empty value in row 2"),
        ({"x": ["1", "0"], "y": ["a", "1"]}, None, "number in column y of t.csv .*received 'a' in row 1"),
        ({"x": ["1", "0"]}, SOFT, "a column for each class, received one, x"),
        ({"x": ["", ""]}, SEVERAL, "no label in any row"),
        ({"x": [["a"], ["b"]]}, NUMBERS, "lists of names"),
        ({"x": ["1.5", "2"]}, CLASS, "For numbers set label_kind=numbers"),
        ({"x": ["1", "inf"], "y": ["1", "2"]}, NUMBERS, "infinite ones in row 2"),
        ({"age": ["1,234", "5,000"]}, NUMBERS, "received '1,234' in row 1"),
        ({"age": ["1.5", ""]}, None, "number in column age .* received an empty value in row 2"),
        ({"age": [80.5, None]}, None, "number in column age .* received an empty value in row 2"),
        ({"age": ["1e300", "2e300"]}, NUMBERS, r"labels up to 1e\+18 in column age .*, received 2e\+300"),
        (
            {"x": ["0.3", ".9"], "y": ["0.7", "0.08"]},
            None,
            "which nearly sum to 1, shares of classes or numbers",
        ),
        (
            {"x": ["0.3", ".9"], "y": ["0.7", "0.08"]},
            SOFT,
            "received sum 0.98, smallest 0.08 in row 2. Divide",
        ),
        ({"x": ["1", "7"], "y": ["0", "2"]}, SOFT, "received sum 9, smallest 2 in row 2. Divide each row"),
    ],
)
def test_columns_that_fit_no_kind_are_refused(columns, given, message):
    with pytest.raises(InputError, match=message):
        labels_of_columns(columns, "t.csv", given)


def test_many_whole_numbers_as_classes_are_reported():
    ages = [str(age) for age in range(30)]
    (line,) = labels_of_columns({"age": 2 * ages}, "t.csv").lines
    assert "30 whole numbers in column age of t.csv are classes; label_kind=numbers" in line
    with pytest.raises(InputError, match="Are the 30 whole numbers in 30 rows of column age .* or numbers"):
        labels_of_columns({"age": ages}, "t.csv")
    assert labels_of_columns({"age": ages}, "t.csv", CLASS).lines == []


def test_splits_are_alike_in_the_rarest_label_and_in_tenths_of_a_number():
    several = np.array([[1, 0], [1, 1], [0, 0], [1, 0]], "float32")
    assert strata(several, SEVERAL).tolist() == [0, 1, 2, 0]
    numbers = np.arange(100, dtype="float32")[:, None]
    assert np.bincount(strata(numbers, NUMBERS)).tolist() == [10] * 10
    assert strata(np.array([[0.2, 0.8]]), SOFT).tolist() == [1]


def test_labels_are_trained_on_as_float_rows():
    assert encoded(np.array([1, 0]), 2).tolist() == [[0, 1], [1, 0]]
    assert encoded(np.array([[0.5, 2]], "float32"), 2).tolist() == [[0.5, 2]]


def test_labels_are_shown_by_their_kind():
    several = np.array([[1, 0], [0, 0]], "float32")
    assert words_of_labels(several, ("cat", "dog"), SEVERAL) == ["cat: 1", "dog: 0", "none of them: 1"]
    assert words_of_labels(np.array([[2.0], [4.0]]), ("age",), NUMBERS) == ["age: 2 to 4, mean 3"]


def read(values, kind=None):
    return labels_of_columns({"a": values}, "t", kind)


def test_whole_numbers_as_floats_are_the_classes_that_they_are_as_texts():
    for values in ([0.0, 1.0, 1.0], ["0.0", "1.0", "1.0"]):
        labels = read(values)
        assert labels.names == ("0.0", "1.0") and labels.values.tolist() == [0, 1, 1]
        assert labels.lines == [
            "labels: 2 whole numbers in column a of t are classes; label_kind=numbers for numbers"
        ]
    assert read([0.0, 1.0, 1.0], NUMBERS).values.tolist() == [[0], [1], [1]]
    with pytest.raises(InputError, match="column a of t is empty in row 2"):
        read([0.0, float("nan"), 1.0])


def test_names_with_dashes_and_many_digits_are_names():
    long = "9" * 5000  # more than int() reads
    with pytest.raises(InputError, match="received 99.* [(]5,000 characters[)] in row 2") as error:
        read(["cat", long])
    assert len(str(error.value)) < 400
    assert read(["--1", "--2", "-", "-10", "9"]).names == ("-10", "9", "-", "--1", "--2")


@pytest.mark.parametrize(
    ("values", "pairs"),
    [
        (["red", "Red", "blue"], "'Red' and 'red'"),
        (["1", "1.0", "2"], "'1' and '1.0'"),
        (["01", "1", "2"], "'01' and '1'"),
        (["e\u0301t\u00e9", "\u00e9t\u00e9", "2"], "'e\u0301t\u00e9' and '\u00e9t\u00e9'"),
        (["big cat", "big  cat", "x"], "'big  cat' and 'big cat'"),
    ],
)
def test_classes_that_may_be_one_are_told(values, pairs):
    expected = f"{pairs} in column a of t are different classes: write them alike if they mean one"
    assert expected in read(values).lines
    assert expected in read([[value] for value in values]).lines


def test_classes_that_differ_are_not_told():
    assert read(["red", "blue", "1e1", "10", "--1", "-1"]).lines == []
