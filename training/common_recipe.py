"""What the recipes of all kinds of data have in common: one flat, immutable value."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Optional, Self

from keras_vit.constraints import (
    Choices,
    OnlyWith,
    Range,
    annotations,
    check_fields,
    check_value,
    defaults,
    defaults_of,
    parameters,
    refuse_unused,
    unused,
)
from keras_vit.errors import InputError, did_you_mean, first_line
from keras_vit.training.optimizers import OPTIMIZERS, SCHEDULES, WITH_FINAL_RATE, optimizers_with
from keras_vit.training.own_parts import ChoicesOrOwn, is_part, named_parts, own_function

MANY = 10**9
SEEDS = Range(0, 2**32 - 1)
FRACTION = Range(0.001, 0.9)
# Arguments of builders that follow from the data or from fields of a recipe.
_DECIDED = {"image_size", "num_classes", "channels", "vocabulary_size", "length"}
_DECIDED |= {"source_length", "target_length"}
_DECIDED |= {"pixel_mean", "pixel_std", "seed", "dtype", "name", "input_tensor"}
_OF_OPTIMIZERS = {"learning_rate", "schedule", "final_learning_rate", "warmup_fraction", "weight_decay"}
_OF_OPTIMIZERS |= {"clip_norm", "clip_value", "ema_momentum"}


@dataclasses.dataclass(frozen=True, init=False)
class Recipe:
    """Everything that decides a training run; common to `ImageRecipe`, `TextRecipe` and `PairRecipe`.

    Args:
        **fields: those of the page "Fields of recipes", and arguments of the model's builder, such as
            `hidden_dim` of `keras_vit.models.vit`, which are attributes too. None leaves a choice to the
            model, its variant or the data.

    Raises:
        InputError: an unknown field, a value of another type or outside its limits, or one without effect.

    Example:
        >>> from keras_vit.training import ImageRecipe, Recipe, TextRecipe
        >>> isinstance(ImageRecipe(epochs=5), Recipe) and isinstance(TextRecipe(), Recipe)
        True
    """

    _kind_of_data: ClassVar[str] = ""  # in words
    builders: ClassVar[Mapping[str, Any]] = {}  # a model's name: function of keras_vit.models; or `own_parts`

    # Data
    data: str = ""
    validation_fraction: Annotated[float, FRACTION] = (
        0.1  # share of the training split, if the data have no other
    )
    test_fraction: Annotated[float, FRACTION] = 0.1  # share of all, if the data have no test split
    split_seed: Annotated[int | None, SEEDS] = None  # chooses splits and subset; None: as seed

    # Model
    model: str = ""
    model_options: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)

    # Optimisation
    epochs: Annotated[int, Range(1, MANY)] = 10  # passes over the training split
    batch_size: Annotated[int, Range(1, MANY)] = 128  # images, lines or pairs in a step
    optimizer: Annotated[str, ChoicesOrOwn(*OPTIMIZERS)] = "adamw"  # muon: AdamW does the rest
    momentum: Annotated[float, Range(0, 0.999999), OnlyWith("optimizer", *optimizers_with("momentum"))] = (
        0.0  # how much of a step the next one keeps
    )
    learning_rate: Annotated[float, Range(1e-12, 1e6)] = 1e-3  # the highest, after the warm-up
    schedule: Annotated[str, Choices(*SCHEDULES)] = "cosine"  # from the highest rate to the final one
    final_learning_rate: Annotated[float, Range(0, 1e6), OnlyWith("schedule", *WITH_FINAL_RATE)] = (
        0.0  # at the end
    )
    warmup_fraction: Annotated[float, Range(0, 1)] = 0.1  # of all steps, linear from 0
    weight_decay: Annotated[float, Range(0, 1e6)] = 0.05  # not on biases, norms, tokens, positions
    clip_norm: Annotated[float | None, Range(1e-12, 1e12)] = 1.0  # of the gradient of all weights together
    clip_value: Annotated[float | None, Range(1e-12, 1e12)] = None  # of each gradient; needs clip_norm=none
    ema_momentum: Annotated[float | None, Range(0, 0.9999999)] = None  # the average is validated and saved
    early_stopping_patience: Annotated[int | None, Range(1, MANY)] = None  # epochs without improvement
    precision: Annotated[str, Choices("float32", "mixed_bfloat16")] = "float32"  # weights stay float32
    steps_per_execution: Annotated[int, Range(1, MANY)] = 8  # steps per call, at most
    metrics: tuple[str, ...] = ()  # `module:name` of metrics beyond those of the task
    callbacks: tuple[str, ...] = ()  # `module:name` of classes or functions
    seed: Annotated[int, SEEDS] = 0  # of first weights, splits, order and augmentation

    def __init__(self, **fields: Any):
        if not self.builders:
            raise InputError(
                "Recipe is what ImageRecipe, TextRecipe and PairRecipe have in common. Use one of these: "
                "from keras_vit.training import ImageRecipe."
            )
        options = dict(fields.pop("model_options", {}))
        fields = named_parts(fields)
        if is_part(fields.get("loss")) and "label_smoothing" in annotations(type(self)):
            fields.setdefault("label_smoothing", 0.0)
        for field in dataclasses.fields(self):
            if field.name != "model_options":
                value = fields.pop(field.name, field.default)
                object.__setattr__(self, field.name, tuple(value) if isinstance(value, list) else value)
        options = {name: tuple(v) if isinstance(v, list) else v for name, v in {**options, **fields}.items()}
        if unsaved := [name for name, value in options.items() if callable(value)]:
            raise InputError(f"Expected {unsaved[0]} by name, since a recipe is saved, received a function.")
        given = {name: value for name, value in options.items() if value is not None}
        object.__setattr__(self, "model_options", given)
        check_fields(self)
        self._check_names(options)
        for name, value in given.items():
            check_value(name, value, self.types(self.model)[name])
        refuse_unused(self.types(self.model), *self._with_defaults(self._values()))
        self._check()

    def __getattr__(self, name):
        model = self.__dict__.get("model")
        if (model in self.builders or is_part(model)) and name in model_arguments(self.builder_of(model)):
            return self.__dict__.get("model_options", {}).get(name)
        raise AttributeError(f"{type(self).__name__} has no field {name!r}.")

    @property
    def data_seed(self) -> int:
        """The seed of splits and subset, which runs of several seeds may share."""
        return self.seed if self.split_seed is None else self.split_seed

    @classmethod
    def types(cls, *models: str) -> dict[str, Any]:
        """Returns a dict from each field, those of some models included, to its annotation.

        Raises:
            InputError: an unknown model.
        """
        found = {name: kind for name, kind in annotations(cls).items() if name != "model_options"}
        for model in models:
            arguments = model_arguments(cls.builder_of(model))
            found |= {name: kind for name, kind in arguments.items() if name not in found}
        return found

    @classmethod
    def builder_of(cls, model: str) -> Callable:
        """Returns the builder of a model's name, or of the `module:name` of an own one."""
        if model in cls.builders:
            return cls.builders[model]
        if is_part(model):
            return own_function(model, "the model")
        raise InputError(
            f"Unknown model {model!r}. Expected one of {', '.join(cls.builders)} or module:build."
        )

    def as_dict(self) -> dict[str, Any]:
        """Returns all fields, flat; arguments of the model that are not set are None."""
        return {name: getattr(self, name) for name in self.types(self.model)}

    def changed(self) -> dict[str, Any]:
        """Returns the fields that are not at their defaults."""
        usual = defaults(type(self))
        return {name: v for name, v in self.as_dict().items() if v != usual.get(name)}

    def replace(self, **changes: Any) -> Self:
        """Returns a recipe with other values.

        A field that loses its effect by that gets its default: `replace(optimizer="adam")` of a recipe
        with `optimizer="sgd", momentum=0.9` has no momentum. With another `model`, the arguments of its
        builder get their defaults.

        Raises:
            InputError: as for a new recipe.
        """
        values = self._values()
        if changes.get("model", self.model) != self.model:
            values["model_options"] = {}
        values |= changes
        while lost := self.unused(values) - changes.keys():
            options = {name: v for name, v in values["model_options"].items() if name not in lost}
            usual = {name: default for name, default in defaults(type(self)).items() if name in lost}
            values |= {**usual, "model_options": options}
        return type(self)(**values)

    def used(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Returns those of some changes that would have an effect, together with the other fields."""
        values, changes = self._values(), dict(changes)
        while lost := self.unused(values | changes) & changes.keys():
            changes = {name: value for name, value in changes.items() if name not in lost}
        return changes

    @classmethod
    def unused(cls, values: Mapping[str, Any]) -> set[str]:
        """Returns which fields differ from their defaults without an effect.

        Args:
            values: `model` and further fields of a recipe; arguments of its model are entries too, or in
                `"model_options"`. The others have their defaults.
        """
        return set(unused(cls.types(values["model"]), *cls._with_defaults(values)))

    @classmethod
    def _with_defaults(cls, values):
        """All values, flat, with those of the model's arguments, and the defaults of all."""
        fields = annotations(cls)
        usual = {**defaults_of(cls.builder_of(values["model"])), **defaults(cls)}
        usual = {name: default for name, default in usual.items() if name in cls.types(values["model"])}
        given = {**values.get("model_options", {}), **values}
        given = {name: v for name, v in given.items() if name in usual and (name in fields or v is not None)}
        return {**usual, **given}, usual

    def _values(self):
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def _check(self):
        if self.clip_norm is not None and self.clip_value is not None:
            raise InputError("Expected clip_norm or clip_value, received both: set one of them to none.")
        if "{" in self.optimizer and (unused := sorted(self.changed().keys() & _OF_OPTIMIZERS)):
            raise InputError(
                f"The optimizer has its own configuration: {', '.join(unused)} has no effect. Leave it out, "
                "or give the class of the optimizer."
            )
        if self.schedule == "exponential" and not self.final_learning_rate:
            raise InputError("schedule=exponential never reaches 0: set final_learning_rate above it.")

    def _check_names(self, options):
        known = self.types(self.model)
        elsewhere = {**self.types(*self.builders), **known}
        accepted = ", ".join(name for name in known if name not in annotations(type(self)))
        for name in options:
            if name not in elsewhere:
                raise unknown_field(name, known, f"Model {self.model!r} accepts {accepted}.")
        if unused := [name for name, value in options.items() if name not in known and value is not None]:
            unset = " ".join(f"{name}=none" for name in unused)
            raise InputError(
                f"Model {self.model!r} does not accept {', '.join(unused)}: set {unset}. It accepts "
                f"{accepted or 'none'}."
            )


@functools.cache
def model_arguments(builder):
    """Returns a dict from each argument that a recipe may give a model's builder to its annotation."""
    try:
        known = parameters(builder)
    except Exception as error:  # annotations of users may name anything
        raise InputError(f"The arguments of {builder!r:.80} cannot be read: {first_line(error)}.") from error
    return {name: Optional[kind] for name, kind in known.items() if name not in _DECIDED}  # noqa: UP045


def unknown_field(name, known, others):
    """Returns the error about a field that no recipe of a kind has: it names the closest one, or `others`."""
    for kind in Recipe.__subclasses__():
        if name in annotations(kind):
            return InputError(f"Recipe field {name!r} is for {kind._kind_of_data} alone. {others}")
    return InputError(f"Unknown recipe field {name!r}.{did_you_mean(name, known) or f' {others}'}")
