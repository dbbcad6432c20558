"""An experiment on images."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any

import keras_vit
from keras_vit.constraints import Choices, OnlyWith, OnlyWithOneOf, Range, ReadBy, annotations
from keras_vit.errors import InputError
from keras_vit.io.label_kinds import KINDS as LABEL_KINDS
from keras_vit.io.preprocessing import GEOMETRIES
from keras_vit.training.augmentation.settings import STRONG, Augmentation
from keras_vit.training.balance import check_monitor, given_weights
from keras_vit.training.common_recipe import FRACTION, MANY, Recipe
from keras_vit.training.data.decoding import color_of, window_of
from keras_vit.training.data.groups import parse as parse_groups
from keras_vit.training.data.random_crop import RandomCrop
from keras_vit.training.data.sources import specs_with
from keras_vit.training.data.split import Fold
from keras_vit.training.normalization import NORMALIZATIONS
from keras_vit.training.own_parts import ChoicesOrOwn, is_part

_DROPOUTS = ("dropout_rate", "attention_dropout_rate", "drop_path_rate")  # which no weight depends on


def _with_data(field):
    """Limits a field to the sources of data that read it."""
    return OnlyWith("data", *specs_with(field))


@dataclasses.dataclass(frozen=True, init=False)
class ImageRecipe(Augmentation, Recipe):
    """Everything that decides the training of a classifier of images.

    Args:
        **fields: those of the page "Fields of recipes", and arguments of the model's builder.

    Raises:
        InputError: as `Recipe`.

    Example:
        >>> ImageRecipe(variant="Pico/2", epochs=3).replace(crop_padding=1).changed()
        {'epochs': 3, 'crop_padding': 1, 'variant': 'Pico/2'}
    """

    def __init__(self, **fields: Any):  # not that of Augmentation, which type checkers would see first
        weights = fields.get("class_weight")
        if isinstance(weights, Mapping):  # as `fit` takes them; a recipe is saved as text
            fields["class_weight"] = ",".join(f"{name}:{weight}" for name, weight in weights.items())
        Recipe.__init__(self, **fields)

    _kind_of_data = "images"
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
    image_width: Annotated[int | None, Range(1, 8192), OnlyWith("image_size")] = None  # if not the height
    geometry: Annotated[  # how images become image_size; None: center_crop for photographs, else stretch
        str | None, Choices(*GEOMETRIES)
    ] = None
    subset: Annotated[int | None, Range(2, MANY)] = None  # training images, class-balanced; None: all
    skip_broken: Annotated[bool, _with_data("skip_broken")] = False  # leave out images that cannot be read
    class_folders: Annotated[  # where folders contain folders: which are the classes; None: refused
        str | None, Choices("first", "last"), _with_data("class_folders")
    ] = None
    background: Annotated[str | None, ReadBy(color_of), _with_data("background")] = (
        None  # of transparent images: white
    )
    sixteen_bit: Annotated[  # `full`, `data` or `LOW:HIGH`: which values become black and white
        str | None, ReadBy(window_of), _with_data("sixteen_bit")
    ] = None
    image_column: Annotated[str | None, _with_data("image_column")] = None  # the paths; None: a usual name
    label_column: Annotated[str | None, _with_data("label_column")] = None  # or several: `A,B`; `*` for all
    split_column: Annotated[str | None, _with_data("split_column")] = (
        None  # which split an image is in; `new`: none
    )
    weight_column: Annotated[str | None, _with_data("weight_column")] = None  # weight of an image in the loss
    label_kind: Annotated[str | None, Choices(*LABEL_KINDS)] = None  # of an image; None: as the labels show
    group: Annotated[  # what stays on one side of each split: folder, column:NAME or pattern:REGEX
        str | None, ReadBy(parse_groups), _with_data("group")
    ] = None
    near_duplicates: bool | None = None  # stay together too; None: where no group is given and images are few
    fold: Annotated[str | None, ReadBy(Fold.parse)] = None  # which fold is the test split, such as 1/5
    test_fraction: Annotated[float, FRACTION, OnlyWith("fold", None)] = Recipe.test_fraction
    normalization: Annotated[str | None, Choices(*NORMALIZATIONS)] = None  # None: the model's own

    # Model
    model: str = "vit"  # or cnn, resnet, levit, repvit, mlp, linear, or module:build of an own one
    flexible_patches: Annotated[  # pixels; one of these is drawn in each step
        tuple[Annotated[int, Range(1, 8192)], ...], OnlyWith("model", "vit")
    ] = ()
    progressive_size: Annotated[  # pixels of the shorter side at first; grows to image_size in four stages
        int | None, Range(1, 8192), OnlyWith("model", "vit")
    ] = None

    # Fine-tuning
    pretrained: str | None = None  # what keras_vit.pretrained.load accepts: a hub id, a folder, a file, a run
    tuning: Annotated[  # all weights; the head alone; blocks from the head down, one after another; additions
        str, Choices("full", "head", "gradual", "lora"), OnlyWith("pretrained")
    ] = "full"
    layer_decay: Annotated[  # factor on the learning rate from each block to the one before it
        float, Range(0.001, 1), OnlyWith("pretrained"), OnlyWith("tuning", "full", "gradual", "lora")
    ] = 1.0
    unfreeze_every: Annotated[int, Range(1, MANY), OnlyWith("tuning", "gradual")] = 1  # epochs per block
    lora_rank: Annotated[int, Range(1, 8192), OnlyWith("tuning", "lora")] = (
        8  # rank of the additions to each matrix
    )

    # Distillation
    distill: Annotated[str | None, OnlyWith("tuning", "full", "gradual", "lora")] = (
        None  # the teacher: a run, a .keras file, module:name, or as `pretrained`
    )
    distill_kind: Annotated[  # what of it the student learns, see `keras_vit.training.Distillation`
        str, Choices("soft", "hard", "features"), OnlyWith("distill")
    ] = "soft"
    distill_weight: Annotated[float, Range(0, 1), OnlyWith("distill")] = 0.5  # share of the loss
    distill_temperature: Annotated[
        float, Range(0.001, 1000), OnlyWith("distill"), OnlyWith("distill_kind", "soft")
    ] = 1.0  # of the teacher's and the student's outputs
    distill_layers: Annotated[  # STUDENT:TEACHER, layers whose outputs are compared; None: what is pooled
        str | None, OnlyWith("distill"), OnlyWith("distill_kind", "features")
    ] = None

    # Export
    quantize: Annotated[str | None, Choices("int8")] = None  # `keras-vit export` trains full_int8 for int8
    int8_epochs: Annotated[  # of that training, on training images; None: as `keras_vit.export.Int8Training`
        int | None, Range(1, MANY), OnlyWith("quantize", "int8")
    ] = None
    int8_items: Annotated[  # of each of its epochs, at most; None: as `max_items` of Int8Training
        int | None, Range(1, MANY), OnlyWith("quantize", "int8")
    ] = None

    # Optimisation
    loss: Annotated[str, ChoicesOrOwn("cross_entropy", "hinge")] = "cross_entropy"  # hinge: support vectors
    label_smoothing: Annotated[float, Range(0, 0.999)] = 0.1  # share spread over all classes
    class_weight: Annotated[str | None, ReadBy(given_weights)] = (
        None  # `balanced`, or such as `cat:1,dog:50`; others weigh 1
    )
    sampling: Annotated[str, Choices("each", "balanced")] = "each"  # or all classes equally often
    logit_adjustment: Annotated[  # 1: as if all classes had as many images
        float, Range(0, 10), OnlyWith("loss", "cross_entropy")
    ] = 0.0
    monitor: Annotated[  # chooses the best epoch; None: accuracy, of very unequal classes balanced accuracy
        str | None, ReadBy(check_monitor)
    ] = None

    # Augmentation
    crop_area: Annotated[float | None, Range(0.01, 1)] = (
        None  # the smallest share of an image in a random crop
    )
    crop_ratio: Annotated[float, Range(1, 100), OnlyWith("crop_area")] = 4 / 3  # most width to height
    augmentation_until: Annotated[  # share of the epochs with RandAugment, TrivialAugment, MixUp and CutMix
        float, Range(0, 1), OnlyWithOneOf(*STRONG)
    ] = 1.0
    augmentation: str | None = None  # module:name of an own one, before that of the other fields

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
