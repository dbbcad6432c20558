from collections.abc import Callable, Sequence
from typing import Annotated, TypedDict, Unpack

import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.constraints import (
    Choices,
    OnlyWith,
    OnlyWithOneOf,
    Range,
    check_value,
    checked,
    parameters,
    parse_value,
)

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


@pytest.mark.parametrize(
    ("value", "annotation", "message"),
    [
        (1.0, Annotated[float, Range(0, 1, below=True)], "Expected x from 0 to below 1, received 1.0"),
        (float("inf"), Annotated[float, Range(0)], "Expected x of at least 0, received inf"),
        ((4, 0), int | tuple[Annotated[int, Range(1)], ...], r"Expected x\[1\] of at least 1, received 0"),
        ((4, 4, 4), int | tuple[int, int], "Expected x to be int or a tuple of 2, received"),
        (0, Annotated[int, Range(1)] | None, "of at least 1, received 0"),
        (3, Callable | None, "Callable or none, received 3"),
        (np.zeros((2, 9)), int, r"to be int, received array\(\[\[0., 0.,.* \(ndarray\)"),
        ("ab", Sequence[str], "a list or tuple, received 'ab'"),
        (["a", 1], Sequence[str], r"x\[1\] to be str, received 1"),
        ({"a": 1}, dict[str, str], r"x\['a'\] to be str, received 1"),
    ],
)
def test_members_of_unions_elements_of_tuples_and_open_ranges_are_checked(value, annotation, message):
    with pytest.raises(InputError, match=message):
        check_value("x", value, annotation)


class Options(TypedDict, total=False):
    rate: RATE
    name: str


@checked
def build(size: Annotated[int, Range(1, 9)], *, wide: bool = False, **options: Unpack[Options]):
    """Builds."""
    return size, wide, options


def test_parameters_hold_the_keywords_of_unpacked_options():
    assert parameters(build) == {"size": Annotated[int, Range(1, 9)], "wide": bool, "rate": RATE, "name": str}


def test_a_checked_function_keeps_its_name_and_passes_its_arguments_on():
    assert build(np.int64(3), wide=True, rate=0) == (3, True, {"rate": 0})
    assert (build.__name__, build.__doc__) == ("build", "Builds.")


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((0,), {}, "size from 1 to 9, received 0"),
        ((2,), {"rate": "1"}, r"rate to be float or none, received '1' \(str\)"),
        (
            (2,),
            {"rates": 0.1},
            r"build\(\) does not accept 'rates'; did you mean 'rate'\? It accepts size, wide, rate",
        ),
        ((2,), {"xyz": 0.1}, r"does not accept 'xyz'\. It accepts size"),
        ((), {"sizes": 2}, "did you mean 'size'"),
    ],
)
def test_a_checked_function_refuses_unfit_and_unknown_arguments(arguments, options, message):
    with pytest.raises(InputError, match=message):
        build(*arguments, **options)


@checked
def paint(
    kind: str | None = None,
    glossy: bool = False,
    coats: Annotated[int, OnlyWith("kind", "oil*")] = 1,
    shine: Annotated[float, Range(0, 1), OnlyWithOneOf("glossy", OnlyWith("kind", "enamel"))] = 0.5,
):
    return coats, shine


def test_an_argument_without_effect_is_refused():
    assert paint("oil paint", coats=3) == (3, 0.5) and paint("enamel", shine=0.7) == paint(None, True, 1, 0.7)
    assert paint("chalk", False, 1, 0.5) == (1, 0.5)
    with pytest.raises(
        InputError, match=r"^kind=chalk has no coats: leave it out, set coats=1, or give kind=oil"
    ):
        paint("chalk", coats=2)
    with pytest.raises(InputError, match="glossy=false has no shine: .* or give glossy or kind=enamel"):
        paint("oil", False, 1, 0.7)
