"""An experiment's configuration: one flat, immutable value."""

import dataclasses
import difflib
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, ClassVar, Optional, Self

import keras_vit
from keras_vit.constraints import (
    Choices,
    OnlyWith,
    OnlyWithOneOf,
    Range,
    ReadBy,
    check_value,
    defaults_of,
    parameters,
    parse_value,
    refuse_unused,
    unused,
)
from keras_vit.errors import InputError, first_line
from keras_vit.io.label_kinds import KINDS as LABEL_KINDS
from keras_vit.io.preprocessing import GEOMETRIES
from keras_vit.training.augmentation.settings import STRONG, Augmentation
from keras_vit.training.balance import check_monitor, given_weights
from keras_vit.training.data.decoding import color_of, window_of
from keras_vit.training.data.folds import Fold
from keras_vit.training.data.groups import parse as parse_groups
from keras_vit.training.data.random_crop import RandomCrop
from keras_vit.training.data.sources import specs_with
from keras_vit.training.fields import annotations, check_fields, defaults
from keras_vit.training.normalization import NORMALIZATIONS
from keras_vit.training.optimizers import OPTIMIZERS, SCHEDULES, WITH_FINAL_RATE, optimizers_with
from keras_vit.training.own_parts import ChoicesOrOwn, is_part, named_parts, own_function
from keras_vit.training.text.made_pairs import MAKERS
from keras_vit.training.text.pairs import NUM_PAIRS, Longest, NumPairs

_MANY = 10**9
_SEEDS = Range(0, 2**32 - 1)
_FRACTION = Range(0.001, 0.9)
# Arguments of builders that follow from the data or from fields of a recipe.
_DECIDED = {"image_size", "num_classes", "channels", "vocabulary_size", "length"}
_DECIDED |= {"source_length", "target_length"}
_DECIDED |= {"pixel_mean", "pixel_std", "seed", "dtype", "name", "input_tensor"}
_OF_OPTIMIZERS = {"learning_rate", "schedule", "final_learning_rate", "warmup_fraction", "weight_decay"}
_OF_OPTIMIZERS |= {"clip_norm", "clip_value", "ema_momentum"}
_DROPOUTS = ("dropout_rate", "attention_dropout_rate", "drop_path_rate")  # which no weight depends on


def _with_data(field):
    """Limits a field to the sources of data that read it."""
    return OnlyWith("data", *specs_with(field))


@dataclasses.dataclass(frozen=True, init=False)
class Recipe:
    """Everything that decides a training run; common to `ImageRecipe`, `TextRecipe` and `PairRecipe`.

    Args:
        **fields: the fields below, and arguments of the model's builder, such as `hidden_dim` of
            `keras_vit.models.vit`, which are attributes too. None leaves a choice to the model, its variant
            or the data.

    Raises:
        InputError: an unknown field, a value of another type or outside its limits, or one without effect.

    Example:
        >>> from keras_vit.training import ImageRecipe, Recipe, TextRecipe
        >>> isinstance(ImageRecipe(epochs=5), Recipe) and isinstance(TextRecipe(), Recipe)
        True
    """

    builders: ClassVar[Mapping[str, Any]] = {}  # a model's name: function of keras_vit.models; or `own_parts`

    # Data
    data: str = ""
    validation_fraction: Annotated[float, _FRACTION] = 0.1  # of the training split, where none comes with it
    test_fraction: Annotated[float, _FRACTION] = 0.1  # of all, where the data have no test split
    split_seed: Annotated[int | None, _SEEDS] = None  # chooses splits and subset; None: as seed

    # Model
    model: str = ""
    model_options: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)

    # Optimisation
    epochs: Annotated[int, Range(1, _MANY)] = 10
    batch_size: Annotated[int, Range(1, _MANY)] = 128
    optimizer: Annotated[str, ChoicesOrOwn(*OPTIMIZERS)] = "adamw"
    momentum: Annotated[float, Range(0, 0.999999), OnlyWith("optimizer", *optimizers_with("momentum"))] = 0.0
    learning_rate: Annotated[float, Range(1e-12, 1e6)] = 1e-3  # peak
    schedule: Annotated[str, Choices(*SCHEDULES)] = "cosine"  # from the peak to the final rate
    final_learning_rate: Annotated[float, Range(0, 1e6), OnlyWith("schedule", *WITH_FINAL_RATE)] = 0.0
    warmup_fraction: Annotated[float, Range(0, 1)] = 0.1  # of all steps, linear from 0
    weight_decay: Annotated[float, Range(0, 1e6)] = 0.05  # not on biases, norms, tokens, positions
    clip_norm: Annotated[float | None, Range(1e-12, 1e12)] = 1.0  # of the gradient of all weights together
    clip_value: Annotated[float | None, Range(1e-12, 1e12)] = None  # of each gradient; needs clip_norm=none
    ema_momentum: Annotated[float | None, Range(0, 0.9999999)] = None  # the average is validated and saved
    early_stopping_patience: Annotated[int | None, Range(1, _MANY)] = None  # epochs without improvement
    precision: Annotated[str, Choices("float32", "mixed_bfloat16")] = "float32"
    steps_per_execution: Annotated[int, Range(1, _MANY)] = 8  # at most, where the backend has it
    metrics: tuple[str, ...] = ()  # more than those of the task, see `own_parts`
    callbacks: tuple[str, ...] = ()  # classes, or functions that return callbacks
    seed: Annotated[int, _SEEDS] = 0

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
        with `optimizer="sgd", momentum=0.9` has no momentum.

        Raises:
            InputError: as for a new recipe.
        """
        values = self._values() | changes
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
                raise InputError(f"{unknown_field(name, known)} Model {self.model!r} accepts {accepted}.")
        if unused := [name for name, value in options.items() if name not in known and value is not None]:
            unset = " ".join(f"{name}=none" for name in unused)
            raise InputError(
                f"Model {self.model!r} does not accept {', '.join(unused)}: set {unset}. It accepts "
                f"{accepted or 'none'}."
            )


@dataclasses.dataclass(frozen=True, init=False)
class ImageRecipe(Augmentation, Recipe):
    """Everything that decides the training of a classifier of images.

    Args:
        **fields: those of this class, of `Recipe` and `Augmentation`, and arguments of the model's builder.

    Raises:
        InputError: as `Recipe`.

    Example:
        >>> ImageRecipe(variant="Pico/2", epochs=3).replace(crop_padding=1).changed()
        {'epochs': 3, 'crop_padding': 1, 'variant': 'Pico/2'}
    """

    def __init__(self, **fields: Any):  # not that of Augmentation, which type checkers would see first
        Recipe.__init__(self, **fields)

    builders = {
        "vit": keras_vit.models.vit,
        "cnn": keras_vit.models.cnn,
        "resnet": keras_vit.models.resnet,
        "levit": keras_vit.models.levit,
        "repvit": keras_vit.models.repvit,
        "mlp": keras_vit.models.mlp,
        "linear": keras_vit.models.linear,
    }

    # Data
    data: str = "digits"  # a spec, see `keras_vit.training.load_data`
    image_size: Annotated[int | None, Range(1, 8192)] = None  # pixels; None: as the data or the weights are
    image_width: Annotated[int | None, Range(1, 8192), OnlyWith("image_size")] = None  # where not the height
    geometry: Annotated[  # how images become image_size; None: center_crop for photographs, else stretch
        str | None, Choices(*GEOMETRIES)
    ] = None
    subset: Annotated[int | None, Range(2, _MANY)] = None  # training images, class-balanced; None: all
    skip_broken: Annotated[bool, _with_data("skip_broken")] = False  # leave out images that cannot be read
    class_folders: Annotated[  # where folders contain folders: which are the classes; None: refused
        str | None, Choices("first", "last"), _with_data("class_folders")
    ] = None
    background: Annotated[str | None, ReadBy(color_of), _with_data("background")] = (
        None  # of transparent images: white
    )
    sixteen_bit: Annotated[str | None, ReadBy(window_of), _with_data("sixteen_bit")] = None  # full, data, A:B
    image_column: Annotated[str | None, _with_data("image_column")] = None  # None: one of the usual names
    label_column: Annotated[str | None, _with_data("label_column")] = None  # or several: A,B; * for all
    split_column: Annotated[str | None, _with_data("split_column")] = None
    weight_column: Annotated[str | None, _with_data("weight_column")] = None  # of images in the loss
    label_kind: Annotated[str | None, Choices(*LABEL_KINDS)] = None  # of an image; None: as the labels show
    group: Annotated[  # what stays on one side of each split: folder, column:NAME or pattern:REGEX
        str | None, ReadBy(parse_groups), _with_data("group")
    ] = None
    near_duplicates: bool | None = None  # stay together too; None: where no group is given and images are few
    fold: Annotated[str | None, ReadBy(Fold.parse)] = None  # NUMBER/COUNT: which fold is the test split
    test_fraction: Annotated[float, _FRACTION, OnlyWith("fold", None)] = Recipe.test_fraction
    normalization: Annotated[str | None, Choices(*NORMALIZATIONS)] = None  # inside the model; None: its own

    # Model
    model: str = "vit"
    flexible_patches: Annotated[  # pixels; one is drawn in each step, and export --patch-size takes any
        tuple[Annotated[int, Range(1, 8192)], ...], OnlyWith("model", "vit")
    ] = ()
    progressive_size: Annotated[  # pixels of the shorter side at first; grows to image_size in four stages
        int | None, Range(1, 8192), OnlyWith("model", "vit")
    ] = None

    # Fine-tuning
    pretrained: str | None = None  # what keras_vit.pretrained.load accepts: a hub id, a folder, a file, a run
    tuning: Annotated[  # all weights, the head on features computed once, from the head down, or additions
        str, Choices("full", "head", "gradual", "lora"), OnlyWith("pretrained")
    ] = "full"
    layer_decay: Annotated[  # factor on the learning rate from each block to the one before it
        float, Range(0.001, 1), OnlyWith("pretrained"), OnlyWith("tuning", "full", "gradual", "lora")
    ] = 1.0
    unfreeze_every: Annotated[int, Range(1, _MANY), OnlyWith("tuning", "gradual")] = 1  # epochs a block
    lora_rank: Annotated[int, Range(1, 8192), OnlyWith("tuning", "lora")] = 8

    # Distillation
    distill: Annotated[str | None, OnlyWith("tuning", "full", "gradual", "lora")] = (
        None  # the teacher: a run, a .keras file, module:name, or as `pretrained`
    )
    distill_kind: Annotated[  # what of it the student learns, see `keras_vit.training.Distillation`
        str, Choices("soft", "hard", "features"), OnlyWith("distill")
    ] = "soft"
    distill_weight: Annotated[float, Range(0, 1), OnlyWith("distill")] = 0.5  # in the loss; labels: the rest
    distill_temperature: Annotated[
        float, Range(0.001, 1000), OnlyWith("distill"), OnlyWith("distill_kind", "soft")
    ] = 1.0
    distill_layers: Annotated[  # STUDENT:TEACHER, layers whose outputs are compared; None: what is pooled
        str | None, OnlyWith("distill"), OnlyWith("distill_kind", "features")
    ] = None

    # Export
    quantize: Annotated[str | None, Choices("int8")] = None  # `keras-vit export` trains full_int8 for int8
    int8_epochs: Annotated[  # of that training, on training images; None: as `keras_vit.export.Int8Training`
        int | None, Range(1, _MANY), OnlyWith("quantize", "int8")
    ] = None
    int8_items: Annotated[  # of each of its epochs, at most; None: as `max_items` of Int8Training
        int | None, Range(1, _MANY), OnlyWith("quantize", "int8")
    ] = None

    # Optimisation
    loss: Annotated[str, ChoicesOrOwn("cross_entropy", "hinge")] = "cross_entropy"  # hinge: support vectors
    label_smoothing: Annotated[float, Range(0, 0.999)] = 0.1
    class_weight: Annotated[str | None, ReadBy(given_weights)] = (
        None  # in the loss: balanced, or A:WEIGHT,...
    )
    sampling: Annotated[str, Choices("each", "balanced")] = "each"  # image once, or classes equally often
    logit_adjustment: Annotated[  # 1: as if all classes had as many images
        float, Range(0, 10), OnlyWith("loss", "cross_entropy")
    ] = 0.0
    monitor: Annotated[  # chooses the best epoch; None: accuracy, of very unequal classes balanced accuracy
        str | None, ReadBy(check_monitor)
    ] = None

    # Augmentation
    crop_area: Annotated[float | None, Range(0.01, 1)] = (
        None  # least share of an image in a random part of it
    )
    crop_ratio: Annotated[float, Range(1, 100), OnlyWith("crop_area")] = 4 / 3  # at most, width to height
    augmentation_until: Annotated[  # share of the epochs after which the strong ones (STRONG) are off
        float, Range(0, 1), OnlyWithOneOf(*STRONG)
    ] = 1.0
    augmentation: str | None = None  # own, before that of the other fields: see `augmentation.own`

    @property
    def augmentations(self) -> Augmentation:
        """The fields that change images."""
        names = (field.name for field in dataclasses.fields(Augmentation))
        return Augmentation(**{name: getattr(self, name) for name in names})

    @property
    def random_crop(self) -> RandomCrop | None:
        """The random part of each training image that is resized to the image's size, or None."""
        return None if self.crop_area is None else RandomCrop(self.crop_area, self.crop_ratio)

    def _check(self):
        super()._check()
        smoothed = [f for f in ("label_smoothing", "mixup_alpha", "cutmix_alpha") if getattr(self, f)]
        if is_part(self.loss):
            smoothed = [field for field in smoothed if field == "label_smoothing"]
        if self.loss != "cross_entropy" and smoothed:
            received = ", ".join(f"{field}={getattr(self, field)}" for field in smoothed)
            unset = " ".join(f"{field}=0" for field in smoothed)
            raise InputError(
                f"loss={self.loss} does not accept smoothed labels, received {received}: set {unset}."
            )
        if self.augmentation is not None and not is_part(self.augmentation):
            raise InputError(f"Expected augmentation as module:name, received {self.augmentation!r}.")
        if self.flexible_patches or self.progressive_size:
            self._check_several_graphs()
        if self.pretrained is not None:
            self._check_fine_tuning()

    def _check_several_graphs(self):
        sizes, field = self.flexible_patches, "progressive_size"
        if sizes:
            field = "flexible_patches"
            if len(set(sizes)) < max(len(sizes), 2):
                raise InputError(
                    "Expected at least two flexible_patches, all different, received "
                    f"{','.join(map(str, sizes))}. For one size set patch_size."
                )
            if self.progressive_size:
                raise InputError("Expected flexible_patches or progressive_size, received both: unset one.")
        if self.normalization not in (None, "standardize"):
            raise InputError(
                f"{field} needs a model whose first layers are patches, and normalization="
                f"{self.normalization} comes before them: set normalization=standardize or none."
            )
        if self.tuning != "full" or self.layer_decay != 1:
            raise InputError(f"{field} needs tuning=full and layer_decay=1: set both so.")
        if self.distill is not None:
            raise InputError(f"{field} trains without a teacher: set distill=none, or leave {field} out.")

    def _check_fine_tuning(self):
        if self.model != "vit" and (self.layer_decay != 1 or self.tuning in ("gradual", "lora")):
            raise InputError(
                "layer_decay, tuning=gradual and tuning=lora go by the blocks of a vit, received model="
                f"{self.model}: set layer_decay=1, and tuning=full or head."
            )
        if given := [name for name in self.model_options if name not in _DROPOUTS]:
            unset = " ".join(f"{name}=none" for name in given)
            raise InputError(f"The pretrained weights decide {', '.join(given)}. Set {unset}.")
        if self.normalization is not None:
            raise InputError("The pretrained weights have their own normalization: set normalization=none.")
        unused = self.changed().keys() & {*_DROPOUTS, *annotations(Augmentation), "augmentation", "crop_area"}
        if self.tuning == "head" and unused:
            names = ", ".join(sorted(unused))
            raise InputError(f"tuning=head, which computes features once, has no {names}: leave it out.")


@dataclasses.dataclass(frozen=True, init=False)
class TextRecipe(Recipe):
    """Everything that decides the training of a model of characters.

    Args:
        **fields: those of this class and of `Recipe`, and arguments of the model's builder.

    Raises:
        InputError: as `Recipe`.

    Example:
        >>> TextRecipe(data="names", model="char_rnn", cell="gru", hidden_dim=32).cell
        'gru'
    """

    builders = {
        "char_rnn": keras_vit.models.char_rnn,
        "char_transformer": keras_vit.models.char_transformer,
    }

    # Data
    data: str = "names"  # or text:PATH
    lines: bool = True  # one item a line; False: running text
    split_seed: Annotated[int | None, _SEEDS, OnlyWith("lines", True)] = None  # running text ends in the test
    lowercase: bool = False
    window: Annotated[int | None, Range(2, 2**16)] = None  # tokens; None: the longest line, running text 128
    unknown: Annotated[str, Choices("error", "unk")] = "error"  # characters that the training split lacks

    # Model
    model: str = "char_rnn"

    # Optimisation
    loss: Annotated[str, ChoicesOrOwn("cross_entropy")] = "cross_entropy"  # of each token
    carry_state: bool = False  # running text: char_rnn continues with the state of the batch before
    sample_every: Annotated[int | None, Range(1, _MANY)] = None  # steps between samples; None: none

    def _check(self):
        super()._check()
        if self.model_options.get("bidirectional"):
            raise InputError(
                "bidirectional=true does not fit a model that generates text: its backward half reads the "
                "character that it should predict. Leave it out."
            )
        if self.carry_state and (self.lines or self.model != "char_rnn"):
            raise InputError("carry_state=true needs a char_rnn and running text: set lines=false.")


@dataclasses.dataclass(frozen=True, init=False)
class PairRecipe(Recipe):
    """Everything that decides the training of a model that reads one text and writes another.

    Args:
        **fields: those of this class and of `Recipe`, and arguments of the model's builder.

    Raises:
        InputError: as `Recipe`.

    Example:
        >>> PairRecipe(data="spelled_numbers", attention="dot", epochs=5).changed()
        {'data': 'spelled_numbers', 'epochs': 5, 'attention': 'dot'}
    """

    builders = {"char_seq2seq": keras_vit.models.char_seq2seq}

    # Data
    data: str = "dates"  # or spelled_numbers, which a program makes too, or pairs:FILE
    num_pairs: Annotated[NumPairs, OnlyWith("data", *MAKERS)] = NUM_PAIRS  # that a program makes
    lowercase: bool = False
    max_source: Longest = None  # characters; None: the longest of the data
    max_target: Longest = None
    unknown: Annotated[str, Choices("error", "unk")] = "error"  # characters that the training split lacks

    # Model
    model: str = "char_seq2seq"

    # Optimisation
    loss: Annotated[str, ChoicesOrOwn("cross_entropy")] = "cross_entropy"  # of each character of the target

    @classmethod
    def builder_of(cls, model):
        if model not in cls.builders:
            raise InputError(
                f"Expected model={' or '.join(cls.builders)}, whose parts write the target of a source, "
                f"received {model!r}."
            )
        return cls.builders[model]


KINDS = {"images": ImageRecipe, "text": TextRecipe, "pairs of texts": PairRecipe}  # by words for the data


@functools.cache
def model_arguments(builder):
    """Returns a dict from each argument that a recipe may give a model's builder to its annotation."""
    try:
        known = parameters(builder)
    except Exception as error:  # annotations of users may name anything
        raise InputError(f"The arguments of {builder!r:.80} cannot be read: {first_line(error)}.") from error
    return {name: Optional[kind] for name, kind in known.items() if name not in _DECIDED}  # noqa: UP045


def unknown_field(name, known):
    """Returns a sentence about a field that no recipe of a kind has, with the closest known one."""
    for word, kind in KINDS.items():
        if name in annotations(kind):
            return f"Recipe field {name!r} is for {word} alone."
    closest = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {closest[0]}?" if closest else ""
    return f"Unknown recipe field {name!r}.{hint}"


def override(recipe: Recipe, assignments: Iterable[str]) -> Recipe:
    """Returns the recipe with assignments such as `"epochs=3"` applied; `"field=none"` unsets a field."""
    types = assignment_types(recipe, assignments)
    pairs = (split_assignment(assignment, types) for assignment in assignments)
    return recipe.replace(**{field: parse_value(field, text, types[field]) for field, text in pairs})


def assignment_types(recipe: Recipe, assignments: Iterable[str]) -> dict[str, Any]:
    """Returns the annotations of the fields that assignments may name.

    They depend on the model: the recipe's, or one that is assigned, in a search as `"model=cnn,resnet"`.
    """
    named = [text.removeprefix("model=").split(",") for text in assignments if text.startswith("model=")]
    known = recipe.types(*recipe.builders)
    return {**known, **recipe.types(*(named[-1] if named else [recipe.model]))}


def split_assignment(assignment: str, types: Mapping[str, Any]) -> tuple[str, str]:
    """Splits `field=text`, and raises InputError for another form or a field that `types` lacks."""
    field, equals, text = assignment.partition("=")
    if not equals:
        raise InputError(f"Expected field=value, received {assignment!r}.")
    if field not in types:
        raise InputError(f"{unknown_field(field, types)} Expected one of {', '.join(types)}.")
    return field, text
