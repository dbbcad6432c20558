"""A search space: hyperparameters that are fields of a recipe."""

import contextlib
import dataclasses

import keras_tuner

from keras_vit.errors import InputError
from keras_vit.training.recipe import Recipe
from keras_vit.training.tuning.space.override import Narrowing

_DATA = ("subset", "validation_fraction", "test_fraction", "split_seed")


@dataclasses.dataclass(frozen=True)
class Space:
    """Hyperparameters as KerasTuner's oracles take them, and the recipe that they change.

    Attributes:
        recipe: Recipe of what does not vary.
        hyperparameters: keras_tuner.HyperParameters, whose names are fields of the recipe.
    """

    recipe: Recipe
    hyperparameters: keras_tuner.HyperParameters

    def recipe_of(self, values, **changes):
        """Returns the recipe of a trial's values; those that oracles add for themselves are passed over."""
        values = {name: value for name, value in values.items() if not name.startswith("tuner/")}
        return dataclasses.replace(self.recipe, **{**values, **changes})

    def extremes(self):
        """Yields the recipe with each field in turn at each of its values, or at both ends of its range.

        Raises:
            InputError: a value that the field cannot have.
        """
        for hp in self.hyperparameters.space:
            for value in hp.values if is_choice(hp) else (hp.min_value, hp.max_value):
                yield self.recipe_of({hp.name: value})

    def described(self):
        """Returns a dict from each field that varies to a line that tells how."""
        return {hp.name: _described(hp) for hp in self.hyperparameters.space}


def build_space(search, assignments=()):
    """Builds the space of a search, narrowed as the user wants it.

    Args:
        search: Search.
        assignments: list of str: `field=value` fixes a field, `field=a,b` lets it be one of these,
            `field=low:high` draws it from that range. A field of the recipe that the search leaves alone
            can be searched, too.

    Returns:
        Space.

    Raises:
        InputError: an unknown field, a value that it cannot have, or nothing left to search.
    """
    narrowings = Narrowing.parse_all(assignments)
    draft = Draft(search.recipe, narrowings)
    search.space(draft)
    for field in narrowings:
        draft.add(field)
    space = Space(draft.recipe, draft.hyperparameters)
    if not space.described():
        raise InputError(
            "Nothing is left to search: every field is fixed. Leave one to vary, as in "
            "learning_rate=0.001:0.01, or use `keras-vit train`."
        )
    return space


class Draft:
    """Takes the fields of a search as `HyperParameters` does, each narrowed as the user wants it.

    A field with one value left becomes part of the recipe. The default of the others is the recipe's value,
    where they can have it.

    Args:
        recipe: Recipe.
        narrowings: dict from a field to a Narrowing.
    """

    def __init__(self, recipe, narrowings):
        fixed = {field: narrowing.values[0] for field, narrowing in narrowings.items() if narrowing.fixes}
        self.recipe = dataclasses.replace(recipe, **fixed)
        self.narrowings = narrowings
        self._base = recipe
        self.hyperparameters = keras_tuner.HyperParameters()
        self._values = {}  # of each field that was seen: what it can be, or None for a range
        self._is_active = True
        self._condition = None  # the field on which those depend that come, where it holds and where not

    def Choice(self, field, values, divides=None):
        """Lets a field be one of some values.

        Args:
            field: str, of the recipe.
            values: list.
            divides: a field, or an int: only those remain that divide it, whatever its value.
        """
        narrowing = self.narrowings.get(field)
        values = narrowing.choices(values) if narrowing else list(values)
        if divides is not None:
            values = self._divisors(field, values, divides)
        if narrowing and narrowing.fixes:
            self._check_condition(field, values[0])
        self._offer(field, values)

    def Int(self, field, low, high, step=1):
        """Lets a field be a whole number from `low` to `high`, both included."""
        self._range(self.hyperparameters.Int, field, low, high, step=step)

    def Float(self, field, low, high, sampling="linear"):
        """Lets a field be a number from `low` to `high`; `sampling` is `"linear"` or `"log"`."""
        self._range(self.hyperparameters.Float, field, low, high, sampling=sampling)

    @contextlib.contextmanager
    def conditional_scope(self, field, holds):
        """Fields within vary only where `holds` is true of another field's value.

        Elsewhere choices within have the recipe's value: another can be fixed only where it holds.
        """
        possible = self._values[field]
        chosen = [value for value in possible if holds(value)]
        self._condition = field, chosen, [value for value in possible if value not in chosen]
        if chosen and len(possible) > 1:
            with self.hyperparameters.conditional_scope(field, chosen):
                yield
        else:
            self._is_active = bool(chosen)
            yield
            self._is_active = True
        self._condition = None

    def add(self, field):
        """Lets a field vary that the search leaves alone, when the user says so."""
        narrowing = self.narrowings[field]
        if field == "seed":
            raise InputError(
                "Each trial has a seed of its own. Leave seed=... out; --seed is of the proposals."
            )
        if field in self._values or narrowing.fixes:
            return
        if field in _DATA:
            raise InputError(f"{field} can be fixed, but not searched: trials are compared on the same data.")
        if narrowing.values is not None:
            self.Choice(field, narrowing.values)
        elif isinstance(narrowing.low, int):
            self.Int(field, narrowing.low, narrowing.high)
        else:
            self.Float(field, narrowing.low, narrowing.high)

    def _offer(self, field, values):
        self._values[field] = values
        if not self._is_active:
            return
        if len(values) == 1:
            self.recipe = dataclasses.replace(self.recipe, **{field: values[0]})
        elif isinstance(values[0], bool):  # of which a Choice would make integers
            self.hyperparameters.Boolean(field, default=bool(getattr(self.recipe, field)))
        else:
            self.hyperparameters.Choice(field, values, default=self._default(field, values.__contains__))

    def _range(self, register, field, low, high, **options):
        narrowing = self.narrowings.get(field)
        if narrowing and narrowing.values is not None:
            return self._offer(field, list(narrowing.values))
        if narrowing:
            low, high = narrowing.low, narrowing.high
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
                f"{field}={value} can be only where {other} is {right or 'something else'}, not {wrong}. "
                f"Narrow {other}, or leave {field} out."
            )

    def _default(self, field, fits):
        value = getattr(self.recipe, field)
        return value if value is not None and fits(value) else None

    def _divisors(self, field, values, divided):
        name = f"{divided} " if isinstance(divided, str) else ""
        wholes = self._values[divided] if name else [divided]
        remaining = [value for value in values if all(whole % value == 0 for whole in wholes)]
        if not remaining:
            raise InputError(
                f"No {field} of {', '.join(map(str, values))} divides {name}"
                f"{', '.join(map(str, wholes))}. Name other values, as in {field}=1."
            )
        return remaining


def is_choice(hp):
    """Tells whether a hyperparameter has a list of values, not a range."""
    kinds = keras_tuner.engine.hyperparameters
    return isinstance(hp, kinds.Choice | kinds.Boolean)


def _described(hp):
    if is_choice(hp):
        line = ", ".join(map(str, hp.values))
    else:
        line = f"{hp.min_value:g} to {hp.max_value:g}"
        line += ", logarithmic" if hp.sampling == "log" else ""
        line += f", step {hp.step:g}" if hp.step not in (None, 1) else ""
    conditions = [f"{c.name} is {' or '.join(map(str, c.values))}" for c in hp.conditions]
    return f"{line} where {' and '.join(conditions)}" if conditions else line
