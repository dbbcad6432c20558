"""Types and limits of values, written as annotations: `Annotated[int | None, Range(1, 1000)]`."""

import ast
import contextlib
import dataclasses
import fnmatch
import functools
import inspect
import math
import numbers
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from keras_vit.errors import InputError, nearest

P = ParamSpec("P")
R = TypeVar("R")


@dataclasses.dataclass(frozen=True)
class Range:
    """A finite number from `low` to `high`, or to below it."""

    low: float
    high: float = math.inf
    below: bool = False

    def check(self, name: str, value: Any) -> None:
        fits = self.low <= value < self.high if self.below else self.low <= value <= self.high
        if not fits or not math.isfinite(value):
            raise InputError(f"Expected {name} {self}, received {value}.")

    def __str__(self) -> str:
        if self.high == math.inf:
            return f"of at least {self.low:,}"
        return f"from {self.low:,} to {'below ' if self.below else ''}{self.high:,}"


@dataclasses.dataclass(frozen=True, init=False)
class Choices:
    """One of some values; `others` says in words what is accepted too."""

    values: tuple
    others: str = ""

    def __init__(self, *values: Any, others: str = "") -> None:
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "others", others)

    def check(self, name: str, value: Any) -> None:
        if value not in self.values:
            allowed = ", ".join(map(str, self.values)) + (f" or {self.others}" if self.others else "")
            raise InputError(f"Expected {name} to be one of {allowed}, received {value!r}.")


@dataclasses.dataclass(frozen=True)
class ReadBy:
    """What a function `(value, name)` reads without an InputError."""

    read: Callable[[Any, str], Any]

    def check(self, name: str, value: Any) -> None:
        self.read(value, name)


class OnlyWith:
    """For a value that has an effect only where another one of the same function or dataclass is one of some.

    Of str also with a wildcard such as `"folder:*"`. Without values: where it is not None, 0, False or empty.
    """

    def __init__(self, field: str, *values: Any) -> None:
        self.field, self.values = field, values

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Returns whether the other one has such a value in a dict of all."""
        value = values[self.field]
        if not self.values:
            return bool(value)
        return any(fnmatch.fnmatchcase(str(value), str(choice)) for choice in self.values)

    @property
    def wanted(self) -> str:
        """What to set, in words."""
        return " or ".join(f"{self.field}={as_text(value)}" for value in self.values) or self.field


class OnlyWithOneOf(OnlyWith):
    """For a value that has an effect only where one of several conditions holds; a str is `OnlyWith(str)`."""

    def __init__(self, *conditions: str | OnlyWith) -> None:
        self.conditions = [OnlyWith(c) if isinstance(c, str) else c for c in conditions]
        super().__init__(self.conditions[0].field)

    def holds(self, values: Mapping[str, Any]) -> bool:
        return any(condition.holds(values) for condition in self.conditions)

    @property
    def wanted(self) -> str:
        return " or ".join(condition.wanted for condition in self.conditions)


def unused(
    annotations: Mapping[str, Any], values: Mapping[str, Any], defaults: Mapping[str, Any]
) -> dict[str, OnlyWith]:
    """Returns the names of values that differ from the default but have no effect, and what they need."""
    return {
        name: condition
        for name, default in defaults.items()
        for condition in _conditions(annotations[name])
        if not condition.holds(values) and values[name] != default
    }


def refuse_unused(
    annotations: Mapping[str, Any], values: Mapping[str, Any], defaults: Mapping[str, Any]
) -> None:
    """Raises InputError for a value that differs from the default but has no effect."""
    for name, needed in unused(annotations, values, defaults).items():
        raise InputError(
            f"{needed.field}={as_text(values[needed.field])} has no {name}: leave it out, set "
            f"{name}={as_text(defaults[name])}, or give {needed.wanted}."
        )


def as_text(value: Any) -> str:
    """Formats a value as typed in `field=value`."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def check_value(name: str, value: Any, annotation: Any) -> None:
    """Checks the type of a value and its constraints; `None` has no limits where it is allowed.

    An int fits float, a bool fits neither; NumPy's numbers fit like Python's. `annotation` is a type, a union
    of types, or `Annotated` with one of them and constraints, as members of a union may be too. The elements
    of `tuple[...]`, `list[...]` and `Sequence[...]`, which text is not, and the values of `dict[...]` are
    checked as well. `name` is the value's name in the InputError.

    Example:
        >>> check_value("num_heads", 3, typing.Annotated[int | None, Range(1, 1000)])
    """
    members = _members(annotation)
    for kind, limits in members:
        if _fits(value, kind):
            for limit in limits if value is not None else ():
                limit.check(name, value)
            for key, *element in _elements(value, kind):
                check_value(f"{name}[{key!r}]", *element)
            return
    received = f"{' '.join(repr(value).split()):.80} ({type(value).__name__})"  # arrays have lines
    raise InputError(f"Expected {name} to be {_words(members)}, received {received}.")


def parse_value(name: str, text: str, annotation: Any) -> Any:
    """Reads a value from text by the type in `annotation`; `none` is None where that is allowed.

    Example:
        >>> parse_value("num_heads", "3", int | None)
        3
    """
    members = _members(annotation)
    kinds = [kind for kind, _ in members]
    if text.lower() == "none" and types.NoneType in kinds:
        return None
    words = {"true": True, "false": False}
    if bool in kinds and text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        if kind in kinds:
            try:
                return kind(text)
            except ValueError:
                continue
    if tuples := [kind for kind in kinds if typing.get_origin(kind) is tuple]:
        element = typing.get_args(tuples[0])[0]
        return tuple(parse_value(name, part, element) for part in text.split(",")) if text else ()
    if str in kinds:
        return text
    if Any in kinds:
        return _literal(text)
    raise InputError(f"Expected {name} to be {_words(members)}, received {text!r}.")


@functools.cache
def parameters(function: Callable) -> dict[str, Any]:
    """Returns the annotation of each parameter of a function by name, `Any` for those without one.

    The keywords of `**options: Unpack[Options]` replace `options`; `self` is left out.

    Example:
        >>> from keras_vit.models import vit
        >>> check_value("drop_path_rate", 0.1, parameters(vit)["drop_path_rate"])
    """
    hints, found = typing.get_type_hints(function, include_extras=True), {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            for options in typing.get_args(hints.get(name)):
                found |= typing.get_type_hints(options, include_extras=True)
        elif name != "self":
            found[name] = hints.get(name, Any)
    return found


@functools.cache
def defaults_of(function: Callable) -> dict[str, Any]:
    """Returns the default of each parameter of a function that has one, by name."""
    found = inspect.signature(function).parameters
    return {name: p.default for name, p in found.items() if p.default is not p.empty}


@functools.cache
def annotations(owner: type) -> dict[str, Any]:
    """Returns a dict from each field of a dataclass to its annotation, with the limits."""
    hints = typing.get_type_hints(owner, include_extras=True)
    return {field.name: hints[field.name] for field in dataclasses.fields(owner)}


@functools.cache
def defaults(owner: type) -> dict[str, Any]:
    """Returns a dict from each field of a dataclass to its default."""
    return {field.name: field.default for field in dataclasses.fields(owner)}


def check_fields(owner):
    """Checks the fields of an instance of a dataclass."""
    values = {name: getattr(owner, name) for name in annotations(type(owner))}
    for name, annotation in annotations(type(owner)).items():
        check_value(name, values[name], annotation)
    refuse_unused(annotations(type(owner)), values, defaults(type(owner)))


def typed(function: Callable[P, R]) -> Callable[P, R]:
    """Decorates a function or constructor, whose arguments are then checked against its annotations.

    An argument that is unknown or missing, of another type, outside its limits or without effect is an
    InputError.

    Example:
        >>> @typed
        ... def grow(size: typing.Annotated[int, Range(1, 9)]): ...
        >>> grow(siz=3)
        Traceback (most recent call last):
        ...
        keras_vit.errors.InputError: grow() does not accept 'siz'; did you mean 'size'? It accepts size.
    """
    signature = inspect.signature(function)
    names, owner = list(signature.parameters), function.__qualname__.removesuffix(".__init__")

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        accepted = parameters(function)
        for name in kwargs:
            if name not in accepted:
                raise InputError(f"{owner}() does not accept {name!r}{_unknown(name, accepted)}")
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            raise InputError(
                f"{owner}() received wrong arguments: {error}. It accepts {', '.join(accepted)}."
            ) from error
        for name, value in [*zip(names, args, strict=False), *kwargs.items()]:
            if name != "self":
                check_value(name, value, accepted[name])
        if conditional := _conditional(function):
            given = {**defaults_of(function), **dict(zip(names, args, strict=False)), **kwargs}
            refuse_unused(accepted, given, conditional)
        return function(*args, **kwargs)

    wrapper.__signature__ = signature  # `getfullargspec`, which Keras calls, follows no `__wrapped__`
    return wrapper


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """Decorates as `typed`; a ValueError that the function raises becomes an InputError, too.

    Example:
        >>> @checked
        ... def grow(size: typing.Annotated[int, Range(1, 9)]):
        ...     raise ValueError("It is full.")
        >>> grow(3)
        Traceback (most recent call last):
        ...
        keras_vit.errors.InputError: It is full.
    """

    @functools.wraps(function)
    def raising(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except InputError:
            raise
        except ValueError as error:
            raise InputError(str(error).split("\n")[0]) from error

    return typed(raising)


def _unknown(name, accepted):
    close = nearest(name, accepted, cutoff=0.5)
    hint = "." if close is None else f"; did you mean {close!r}?"
    return f"{hint} It accepts {', '.join(accepted)}."


def _conditions(annotation):
    """Yields the `OnlyWith` of an annotation."""
    for part in typing.get_args(annotation):
        if isinstance(part, OnlyWith):
            yield part
        elif typing.get_origin(annotation) in (typing.Annotated, typing.Union, types.UnionType):
            yield from _conditions(part)


@functools.cache
def _conditional(function):
    """The defaults of the parameters that have an effect under conditions."""
    kinds = parameters(function)
    return {name: v for name, v in defaults_of(function).items() if any(_conditions(kinds[name]))}


def _members(annotation, limits=()):
    """Splits an annotation into pairs of a type and the constraints on it."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        limits = (*limits, *(limit for limit in arguments[1:] if hasattr(limit, "check")))
        return _members(arguments[0], limits)
    if origin in (typing.Union, types.UnionType):
        return [member for argument in arguments for member in _members(argument, limits)]
    return [(annotation, limits)]


def _literal(text):
    """Reads a number, true or false; all else is text."""
    with contextlib.suppress(ValueError, SyntaxError):
        return ast.literal_eval(text)
    return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def _fits(value, kind):
    origin, arguments = typing.get_origin(kind) or kind, typing.get_args(kind)
    if origin is Any:
        return True
    if origin is Sequence:
        return isinstance(value, Sequence) and not isinstance(value, str | bytes)
    if origin in (tuple, list):
        is_open = origin is list or not arguments or ... in arguments
        return isinstance(value, (tuple, list)) and (is_open or len(value) == len(arguments))
    if origin in (int, float):
        numeric = numbers.Integral if origin is int else numbers.Real
        return isinstance(value, numeric) and not isinstance(value, bool)
    if origin is Callable:
        return callable(value)
    return isinstance(value, Mapping if typing.is_typeddict(origin) else origin)


def _elements(value, kind):
    """Returns triples of a key or an index, the element there, and its annotation."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is dict:
        return [(key, element, arguments[1]) for key, element in value.items()]
    if origin not in (tuple, list, Sequence):
        return []
    first, *others = arguments
    kinds = [first] * len(value) if others in ([], [...]) else [first, *others]
    return zip(range(len(value)), value, kinds, strict=True)


def _words(members):
    return " or ".join(dict.fromkeys(_word(kind) for kind, _ in members))


def _word(kind):
    if typing.get_origin(kind) is tuple and ... not in typing.get_args(kind):
        return f"a tuple of {len(typing.get_args(kind))}"
    if typing.get_origin(kind) is Sequence:
        return "a list or tuple"
    name, package = getattr(kind, "__name__", str(kind)), getattr(kind, "__module__", "").partition(".")[0]
    return f"keras.{name}" if package == "keras" else name.replace("NoneType", "none")
