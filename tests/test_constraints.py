from typing import Annotated

import pytest

from keras_vit import InputError
from keras_vit.constraints import Choices, Range, check_value, parse_value

RATE = Annotated[float | None, Range(0, 1)]


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (0, RATE),
        (1.0, RATE),
        (None, RATE),
        ("a", Annotated[str, Choices("a", "b")]),
        ((3, 4), int | tuple[int, ...]),
    ],
)
def test_a_value_within_its_limits_is_accepted(value, annotation):
    check_value("x", value, annotation)


@pytest.mark.parametrize(
    ("value", "annotation", "message"),
    [
        (1.5, RATE, "Expected x from 0 to 1, received 1.5"),
        (float("nan"), RATE, "from 0 to 1, received nan"),
        (True, RATE, r"Expected x to be float or none, received True \(bool\)"),
        ("1", RATE, r"received '1' \(str\)"),
        (1, bool, r"Expected x to be bool, received 1 \(int\)"),
        ("c", Annotated[str, Choices("a", "b")], "one of a, b, received 'c'"),
        (None, int, "to be int, received None"),
    ],
)
def test_a_value_of_another_type_or_outside_its_limits_is_refused(value, annotation, message):
    with pytest.raises(InputError, match=message):
        check_value("x", value, annotation)


@pytest.mark.parametrize(
    ("text", "annotation", "value"),
    [
        ("none", RATE, None),
        ("1e-2", RATE, 0.01),
        ("True", bool | None, True),
        ("4", int | str, 4),
        ("a4", int | str, "a4"),
    ],
)
def test_text_is_read_by_the_type(text, annotation, value):
    assert parse_value("x", text, annotation) == value


def test_text_of_another_type_is_refused():
    with pytest.raises(InputError, match="Expected x to be int, received '1.5'"):
        parse_value("x", "1.5", int)
