"""An experiment's configuration: one flat, immutable value."""

import dataclasses
import types
import typing

from keras_vit.errors import InputError
from keras_vit.io.json_files import read_json


@dataclasses.dataclass(frozen=True)
class Recipe:
    """All that decides a training run. `None` leaves a choice to the model, its variant or the data."""

    # Data
    data: str = "digits"  # a spec: digits, tfds:NAME, folder:PATH, npz:PATH; for text names, text:PATH
    image_size: int | None = None  # pixels; None: as the data come, or as the pretrained weights have it
    image_width: int | None = None  # pixels, where it is not the height
    subset: int | None = None  # training images, class-balanced; None: all
    validation_fraction: float = 0.1  # of the training split, where the data bring no validation split
    test_fraction: float = 0.1  # of all, where the data bring no test split
    split_seed: int | None = None  # chooses splits and subset; None: as seed
    skip_broken: bool = False  # leave out images of a folder that cannot be read

    normalization: str | None = None  # of training.normalization, inside the model; None: the model's own

    # Model
    model: str = "vit"
    variant: str | None = None
    patch_size: int | None = None  # pixels
    hidden_dim: int | None = None
    num_layers: int | None = None
    num_heads: int | None = None
    mlp_dim: int | None = None
    stem: str | None = None
    pooling: str | None = None
    class_token: bool | None = None
    num_registers: int | None = None
    position_embedding: str | None = None
    qk_norm: bool | None = None
    layer_scale: float | None = None
    activation: str | None = None
    dropout_rate: float | None = None
    attention_dropout_rate: float | None = None
    drop_path_rate: float | None = None
    batch_norm: bool | None = None  # of cnn
    conv_dropout_rate: float | None = None  # of cnn
    hidden_dims: int | None = None  # of mlp: the size of its hidden layer
    cell: str | None = None  # of char_rnn: simple, lstm, gru
    embedding_dim: int | None = None  # of char_rnn; None: one-hot
    bidirectional: bool | None = None  # of char_rnn; not for generation

    # Fine-tuning
    pretrained: str | None = None  # what keras_vit.pretrained.load takes: a hub id, a folder, a file, a run
    tuning: str = "full"  # or "head" (on features computed once), "gradual" (from the head down), "lora"
    layer_decay: float = 1.0  # factor on the learning rate from each block to the one before it
    unfreeze_every: int = 1  # epochs, with tuning=gradual, from each block to the one before it
    lora_rank: int = 8  # with tuning=lora

    # Optimisation
    loss: str = "cross_entropy"  # or "hinge", which makes of `linear` a support vector machine
    epochs: int = 10
    batch_size: int = 128
    optimizer: str = "adamw"  # of training.optimizers; "muon": 2-D kernels but the head's, AdamW for the rest
    momentum: float = 0.0  # of sgd
    learning_rate: float = 1e-3  # peak
    schedule: str = "cosine"  # of training.optimizers, from the peak to the final rate
    final_learning_rate: float = 0.0  # reached at the last step
    warmup_fraction: float = 0.1  # of all steps, linear from 0
    weight_decay: float = 0.05  # not on biases, norms, tokens, positions
    clip_norm: float | None = 1.0  # of the gradient of all weights together
    clip_value: float | None = None  # of each gradient, to [-clip_value, clip_value]; needs clip_norm=none
    label_smoothing: float = 0.1
    ema_momentum: float | None = None  # e.g. 0.999; validated and saved weights are then the average
    early_stopping_patience: int | None = None  # epochs without a better validation accuracy
    precision: str = "float32"  # or "mixed_bfloat16"
    steps_per_execution: int = 8
    seed: int = 0

    # Augmentation, per image
    flip: bool = False  # left-right
    crop_padding: int = 0  # pixels
    rotation: float = 0.0  # degrees, either way
    randaugment_layers: int = 0
    randaugment_magnitude: float = 9.0  # 0 to 10
    mixup_alpha: float = 0.0
    cutmix_alpha: float = 0.0
    erasing_rate: float = 0.0  # probability

    # Text
    lines: bool = True  # one item a line; False: running text
    lowercase: bool = False
    window: int | None = None  # tokens read at once; None: what the longest line needs, running text 128
    unknown: str = "error"  # characters that the training split lacks; or "unk": a token for them
    carry_state: bool = False  # running text: char_rnn goes on with the state of the batch before
    sample_every: int | None = None  # steps between samples; None: none

    @property
    def data_seed(self):
        """The seed of splits and subset, which may be one for runs of several seeds."""
        return self.seed if self.split_seed is None else self.split_seed

    def __post_init__(self):
        for field, kind in _kinds().items():
            _check_kind(field, getattr(self, field), kind)
        for field, low, high in _RANGES:
            value = getattr(self, field)
            if value is not None and not low <= value <= high:
                raise InputError(f"Expected {field} from {low:,} to {high:,}, received {value}.")
        for field, allowed in _CHOICES.items():
            if getattr(self, field) not in allowed:
                raise InputError(
                    f"Expected {field} to be one of {', '.join(allowed)}, received {getattr(self, field)!r}."
                )
        if self.image_width is not None and self.image_size is None:
            raise InputError("Expected image_size, the height, beside image_width.")
        smoothed = [field for field in _SMOOTHING if getattr(self, field)]
        if self.loss == "hinge" and smoothed:
            received = ", ".join(f"{field}={getattr(self, field)}" for field in smoothed)
            unset = " ".join(f"{field}=0" for field in smoothed)
            raise InputError(f"loss=hinge takes no smoothed labels, received {received}: set {unset}.")
        if self.clip_norm is not None and self.clip_value is not None:
            raise InputError("Expected clip_norm or clip_value, received both: set one of them to none.")


MODEL_FIELDS = (
    "variant",
    "patch_size",
    "hidden_dim",
    "num_layers",
    "num_heads",
    "mlp_dim",
    "stem",
    "pooling",
    "class_token",
    "num_registers",
    "position_embedding",
    "qk_norm",
    "layer_scale",
    "activation",
    "dropout_rate",
    "attention_dropout_rate",
    "drop_path_rate",
    "batch_norm",
    "conv_dropout_rate",
    "hidden_dims",
    "cell",
    "embedding_dim",
    "bidirectional",
)

AUGMENTATION_FIELDS = (
    "flip",
    "crop_padding",
    "rotation",
    "randaugment_layers",
    "randaugment_magnitude",
    "mixup_alpha",
    "cutmix_alpha",
    "erasing_rate",
)

FINE_TUNING_FIELDS = ("pretrained", "tuning", "layer_decay", "unfreeze_every", "lora_rank")

IMAGE_FIELDS = (
    "image_size",
    "image_width",
    "subset",
    "skip_broken",
    "normalization",
    "loss",
    *FINE_TUNING_FIELDS,
    *AUGMENTATION_FIELDS,
)

TEXT_FIELDS = ("lines", "lowercase", "window", "unknown", "carry_state", "sample_every")

_SMOOTHING = ("label_smoothing", "mixup_alpha", "cutmix_alpha")  # which make labels of several classes
_MANY = 10**9
_WIDEST = 2**16
_RANGES = (
    ("image_size", 1, 8192),
    ("image_width", 1, 8192),
    ("patch_size", 1, 8192),
    ("hidden_dim", 1, _WIDEST),
    ("hidden_dims", 1, _WIDEST),
    ("embedding_dim", 1, _WIDEST),
    ("mlp_dim", 1, 8 * _WIDEST),
    ("num_layers", 1, 1000),
    ("num_heads", 1, 1000),
    ("num_registers", 0, 1000),
    ("subset", 2, _MANY),
    ("validation_fraction", 0.001, 0.9),
    ("test_fraction", 0.001, 0.9),
    ("layer_decay", 0.001, 1),
    ("unfreeze_every", 1, _MANY),
    ("lora_rank", 1, 8192),
    ("epochs", 1, _MANY),
    ("batch_size", 1, _MANY),
    ("learning_rate", 1e-12, 1e6),
    ("final_learning_rate", 0, 1e6),
    ("warmup_fraction", 0, 1),
    ("momentum", 0, 0.999999),
    ("weight_decay", 0, 1e6),
    ("clip_norm", 1e-12, 1e12),
    ("clip_value", 1e-12, 1e12),
    ("label_smoothing", 0, 0.999),
    ("ema_momentum", 0, 0.9999999),
    ("early_stopping_patience", 1, _MANY),
    ("steps_per_execution", 1, _MANY),
    ("seed", 0, 2**32 - 1),
    ("split_seed", 0, 2**32 - 1),
    ("crop_padding", 0, 8192),
    ("rotation", 0, 180),
    ("randaugment_layers", 0, 100),
    ("randaugment_magnitude", 0, 10),
    ("mixup_alpha", 0, 1e6),
    ("cutmix_alpha", 0, 1e6),
    ("erasing_rate", 0, 1),
    ("dropout_rate", 0, 1),
    ("attention_dropout_rate", 0, 1),
    ("conv_dropout_rate", 0, 1),
    ("drop_path_rate", 0, 0.999),
    ("window", 2, _WIDEST),
    ("sample_every", 1, _MANY),
)
_CHOICES = {
    "tuning": ("full", "head", "gradual", "lora"),
    "loss": ("cross_entropy", "hinge"),
    "optimizer": ("adamw", "muon", "sgd", "adam", "rmsprop", "adagrad", "adadelta"),
    "schedule": ("cosine", "linear", "polynomial", "exponential", "step", "constant"),
    "precision": ("float32", "mixed_bfloat16"),
    "unknown": ("error", "unk"),
}


def override(recipe, assignments):
    """Returns the recipe with `field=value` assignments applied.

    Args:
        recipe: Recipe.
        assignments: list of str, such as `["epochs=3", "variant=Nano/4"]`; `none` unsets a field.

    Raises:
        InputError: not of that form, an unknown field, or a value of another type.
    """
    changes = {}
    for assignment in assignments:
        field, text = split_assignment(assignment)
        changes[field] = parse_value(field, text)
    return dataclasses.replace(recipe, **changes)


def split_assignment(assignment):
    """Splits `field=text` into `(field, text)`.

    Raises:
        InputError: not of that form, or an unknown field.
    """
    field, equals, text = assignment.partition("=")
    if not equals:
        raise InputError(f"Expected field=value, received {assignment!r}.")
    if field not in _kinds():
        raise InputError(f"Unknown recipe field {field!r}. Expected one of {', '.join(_kinds())}.")
    return field, text


def parse_value(field, text):
    """Reads the text of a field's value, by the field's type; `none` unsets.

    Raises:
        InputError: not of that type.
    """
    return _parse(field, text, _kinds()[field])


def check_unset(recipe, fields, owner=None):
    """Checks that fields for which there is no use are left as they are.

    Args:
        recipe: Recipe.
        fields: names of the fields.
        owner: str, what has no use for them. Default: the recipe's model.

    Raises:
        InputError: names those that were set.
    """
    defaults = {f.name: f.default for f in dataclasses.fields(Recipe)}
    changed = [field for field in fields if getattr(recipe, field) != defaults[field]]
    if changed:
        back = " ".join(f"{field}={defaults[field]}".lower() for field in changed)
        owner = owner or f"Model {recipe.model!r}"
        raise InputError(f"{owner} has no {', '.join(changed)}: leave it out, or set {back}.")


def load_recipe(path):
    """Reads the `recipe.json` of a run folder.

    Raises:
        InputError: missing, no JSON, or not a recipe.
    """
    fields = read_json(path, dict).get("recipe")
    if not isinstance(fields, dict):
        raise InputError(f"Expected {path} to hold a 'recipe' object. Train again to write one.")
    unknown = sorted(set(fields) - set(_kinds()))
    if unknown:
        shown = ", ".join(name[:40] for name in unknown[:20])
        more = f" and {len(unknown) - 20} more" if len(unknown) > 20 else ""
        raise InputError(f"{path} holds fields that no recipe has: {shown}{more}.")
    return Recipe(**fields)


def _kinds():
    return typing.get_type_hints(Recipe)


def _members(kind):
    return typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)


def _check_kind(field, value, kind):
    members = _members(kind)
    if isinstance(value, bool) and bool not in members:
        fits = False
    elif isinstance(value, int) and float in members:
        fits = True
    else:
        fits = isinstance(value, members)
    if not fits:
        raise InputError(
            f"Expected {field} to be {_described(kind)}, received {value!r} ({type(value).__name__})."
        )


def _described(kind):
    return " or ".join(member.__name__.replace("NoneType", "none") for member in _members(kind))


def _parse(field, text, kind):
    members = _members(kind)
    if text.lower() == "none" and type(None) in members:
        return None
    words = {"true": True, "false": False}
    if bool in members and text.lower() in words:
        return words[text.lower()]
    for member in (int, float):
        if member in members:
            try:
                return member(text)
            except ValueError:
                continue
    if str in members:
        return text
    raise InputError(f"Expected {field} to be {_described(kind)}, received {text!r}.")
