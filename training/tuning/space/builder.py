"""Builds a search space from the declarations of a search and the overrides of the user."""

import contextlib
from collections.abc import Callable, Sequence

import keras_tuner

from keras_vit.constraints import annotations
from keras_vit.errors import InputError
from keras_vit.training.recipe import Recipe
from keras_vit.training.tuning.space.override import SpaceOverride

_DATA = ("subset", "validation_fraction", "test_fraction", "split_seed")


class SpaceBuilder:
    """Receives the fields of a search as `keras_tuner.HyperParameters` does, and applies overrides to them.

    A field with one value left becomes part of the recipe. The default of the others is the recipe's value,
    where it is one of theirs. Where the user fixes another model, the fields that are arguments of the
    recipe's own do not vary, but those that the user names.
    """

    def __init__(self, recipe: Recipe, overrides: dict[str, SpaceOverride]):
        self.fixed = {field: override.values[0] for field, override in overrides.items() if override.fixes}
        self.recipe = recipe.replace(**recipe.used(self.fixed))
        self.overrides = overrides
        self._base = recipe
        self.hyperparameters = keras_tuner.HyperParameters()
        self._values = {}  # of each declared field: its possible values, or None for a range
        self._is_active = True
        self._left_out = []  # declared fields of a model which the user replaced
        self._condition = None  # within a conditional scope: its field, values where it holds, and the others

    def Choice(self, field: str, values: Sequence, divides: str | int | None = None):
        """Lets a field be one of some values; of these, only divisors of a number or of another field."""
        override = self.overrides.get(field)
        if self._leaves_out(field):
            return
        values = override.choices(values) if override else list(values)
        if divides is not None:
            values = self._divisors(field, values, divides)
        if override and override.fixes:
            self._check_condition(field, values[0])
        self._offer(field, values)

    def Int(self, field: str, low: int, high: int, step: int = 1):
        """Lets a field be an integer from `low` to `high`, both included."""
        self._range(self.hyperparameters.Int, field, low, high, step=step)

    def Float(self, field: str, low: float, high: float, sampling: str = "linear"):
        """Lets a field be a number from `low` to `high`; `sampling` is `"linear"` or `"log"`."""
        self._range(self.hyperparameters.Float, field, low, high, sampling=sampling)

    @contextlib.contextmanager
    def conditional_scope(self, field: str, holds: Callable[..., bool]):
        """Lets the fields within vary only where `holds(value)` is true for another field's value.

        Elsewhere they keep the recipe's value: another value can be fixed only where the condition holds.
        """
        possible = self._values.get(field, [])  # none of a field that was left out
        chosen = [value for value in possible if holds(value)]
        self._condition = field, chosen, [value for value in possible if value not in chosen]
        self._is_active = bool(chosen)
        is_conditional = chosen and len(possible) > 1
        scope = self.hyperparameters.conditional_scope(field, chosen)
        with scope if is_conditional else contextlib.nullcontext():
            yield
        self._is_active, self._condition = True, None

    def add_override(self, field: str):
        """Lets a field vary that only the user declares."""
        override = self.overrides[field]
        if field == "seed":
            raise InputError(
                "Each trial has its own seed. Leave seed=... out; --seed is that of the proposals."
            )
        if field in self._values or override.fixes:
            return
        if field in _DATA:
            raise InputError(f"{field} can be fixed, but not searched: trials are compared on the same data.")
        if override.values is not None:
            self.Choice(field, override.values)
        else:
            (self.Int if isinstance(override.low, int) else self.Float)(field, override.low, override.high)

    def _leaves_out(self, field):
        is_own = self.recipe.model == self._base.model or field in annotations(type(self.recipe))
        if is_own or field in self.overrides:
            return False
        self._left_out.append(field)
        return True

    def all_left_out(self):
        """Returns the arguments of the recipe's own model that another model does not get."""
        if self.recipe.model == self._base.model:
            return ()
        set_before = [name for name in self._base.model_options if name not in self.overrides]
        return tuple(dict.fromkeys([*set_before, *self._left_out]))

    def _offer(self, field, values):
        self._values[field] = values
        if not self._is_active:
            return
        if len(values) == 1:
            self.fixed[field] = values[0]
            self.recipe = self.recipe.replace(**self.recipe.used({field: values[0]}))
        elif isinstance(values[0], bool):  # which a Choice would convert to integers
            self.hyperparameters.Boolean(field, default=bool(self._value(field)))
        else:
            self.hyperparameters.Choice(field, values, default=self._default(field, values.__contains__))

    def _range(self, register, field, low, high, **options):
        override = self.overrides.get(field)
        if self._leaves_out(field):
            return None
        if override and override.values is not None:
            return self._offer(field, list(override.values))
        if override:
            low, high = override.low, override.high
        if options.get("sampling") == "log" and low <= 0:
            raise InputError(f"{field} is drawn on a logarithmic scale: expected a range above 0, not {low}.")
        self._values[field] = None
        if self._is_active:
            register(field, low, high, default=self._default(field, lambda v: low <= v <= high), **options)

    def _check_condition(self, field, value):
        if self._condition is None or value == getattr(self._base, field):
            return
        other, holding, failing = self._condition
        if failing:
            right, wrong = (" or ".join(map(str, values)) for values in (holding, failing))
            raise InputError(
                f"{field}={value} is possible only where {other} is {right or 'something else'}, not {wrong}."
                f" Restrict {other}, or leave {field} out."
            )

    def _value(self, field):
        try:
            return getattr(self.recipe, field)
        except AttributeError as error:
            known = ", ".join(self.recipe.types(self.recipe.model))
            raise InputError(
                f"Model {self.recipe.model!r} does not accept {field}: a search cannot vary it. Expected one "
                f"of {known}."
            ) from error

    def _default(self, field, fits):
        value = self._value(field)
        return value if value is not None and fits(value) else None

    def _divisors(self, field, values, divided):
        name = f"{divided} " if isinstance(divided, str) else ""
        multiples = self._values.get(divided, []) if name else [divided]  # [] of a field that was left out
        remaining = [value for value in values if all(multiple % value == 0 for multiple in multiples)]
        if not remaining:
            raise InputError(
                f"No {field} of {', '.join(map(str, values))} divides {name}"
                f"{', '.join(map(str, multiples))}. Use other values, as in {field}=1."
            )
        return remaining
