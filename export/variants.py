"""The variants of an export: one row each, read by all code that writes, checks and shows them.

This module imports nothing heavy, so that the command line can list the variants.
"""

import dataclasses
import os
from collections.abc import Sequence
from typing import NamedTuple

SAVED_MODEL_MARK = "saved_model.pb"  # identifies a SavedModel
AUTO = "auto"  # in place of a variant: try the candidates and keep the fastest


class Rule(NamedTuple):
    """How ai-edge-quantizer treats the operators whose output's name matches; later rules win."""

    operators: str  # ai-edge-quantizer's name of an operator; "*" for all
    weight_bits: int  # 0: stays in float
    activation_bits: int = 0  # 0: activations are quantized at run time ("dynamic")
    names: str = ".*"  # regular expression


# Inputs and outputs of these layers vary little between images, so that one fixed range serves all. On a
# trained Vision Transformer the KL divergence from float32 trebles when qkv, patches and head are static too.
STEADY = "attention/projection/|mlp/expansion/|mlp/projection/"
SHARPENING = "sharpening"  # the layer at the end that makes the logits of sure images larger
_OUTPUTS = "PartitionedCall:"  # in the names that TensorFlow's converter gives to outputs
# An app passes and receives float32, unless it asks for int8. Scores are few numbers, whose small differences
# decide: in int8 all that differ by less than 1/256 are equal.
FLOAT_ENDS = (
    Rule("INPUT", 0),
    Rule("OUTPUT", 0),
    Rule("SOFTMAX", 0, names=_OUTPUTS),
    Rule("LOGISTIC", 0, names=_OUTPUTS),
    Rule("*", 0, names=rf"{SHARPENING}\w*/"),
)
# LiteRT refuses a product with int8 on the left alone, as at the start of the attention rollout, a constant.
FLOAT_PRODUCTS = (Rule("BATCH_MATMUL", 0),)


# What `auto` makes of layers that lose too much: float, or for dense layers of variants that are quantized
# further int8 weights with activations quantized at run time, for each token by itself.
IN_FLOAT = (Rule("*", 0),)
DENSE_DYNAMIC = (*IN_FLOAT, Rule("FULLY_CONNECTED", 8))


@dataclasses.dataclass(frozen=True)
class Variant:
    """One form of a model's file.

    With `converter`, TensorFlow's converter writes the file, and `rules` serve only the second attempt of
    `auto`, with some operators in float. Without it, ai-edge-quantizer makes the file from the float32 one by
    `rules`. Variants for text need `converter`.
    """

    name: str  # as on the command line and in `export.json`
    file: str  # or folder
    is_float32: bool = False  # whether it must return the model's outputs within the rounding of float32
    converter: tuple[str, ...] | None = None  # options of keras_vit.export.workers.convert
    rules: tuple[Rule, ...] = ()
    spared: tuple[Rule, ...] = IN_FLOAT  # for the layers that `auto` quantizes less
    for_text: bool = False  # whether character models have it too
    is_default: bool = False  # whether it is exported when no variant is named
    as_fast_as: str = ""  # the variant whose arithmetic it has: `auto` writes it only if that one may win
    not_auto: str = ""  # why `auto` does not try it; empty when it does

    @property
    def is_tflite(self):
        return self.file.endswith(".tflite")

    @property
    def is_all_int8(self):
        """Whether all operators have fixed int8 ranges, which int8 inputs and `Int8Training` need."""
        return Rule("*", 8, 8) in self.rules

    def rules_with_ends(self, int8):
        """Returns `rules`; with `int8` those of a file whose inputs and outputs are int8 too."""
        return tuple(rule for rule in self.rules if not (int8 and rule in FLOAT_ENDS))

    @property
    def needs_calibration(self):
        """Whether the ranges of activations are fixed in advance, from calibration data."""
        return any(rule.activation_bits for rule in self.rules)


_EVERYWHERE = {"for_text": True, "is_default": True}
VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("savedmodel", "saved_model", is_float32=True, not_auto="it needs TensorFlow", **_EVERYWHERE),
        Variant("fp32", "model_fp32.tflite", is_float32=True, converter=(), **_EVERYWHERE),
        Variant(
            "fp16", "model_fp16.tflite", converter=("optimize", "float16"), as_fast_as="fp32", **_EVERYWHERE
        ),
        Variant(
            "dynamic_int8",
            "model_dynamic_int8.tflite",
            converter=("optimize",),
            rules=(Rule("*", 8), *FLOAT_PRODUCTS),
            **_EVERYWHERE,
        ),
        Variant(
            "mixed_int8",
            "model_mixed_int8.tflite",
            rules=(Rule("FULLY_CONNECTED", 8), Rule("FULLY_CONNECTED", 8, 8, STEADY)),
            spared=DENSE_DYNAMIC,
        ),
        Variant(
            "full_int8",
            "model_full_int8.tflite",
            rules=(Rule("*", 8, 8), *FLOAT_ENDS),
            spared=DENSE_DYNAMIC,
        ),
        Variant(
            "int16x8",
            "model_int16x8.tflite",
            rules=(Rule("*", 8, 16), *FLOAT_ENDS),
            not_auto="LiteRT has slow reference kernels for it only, which serve to check NPUs",
        ),
        Variant(
            "int4",
            "model_int4.tflite",
            rules=(Rule("*", 8), *FLOAT_PRODUCTS, Rule("FULLY_CONNECTED", 4)),
            spared=DENSE_DYNAMIC,
        ),
    )
}
FILES = {name: variant.file for name, variant in VARIANTS.items()}
DEFAULT = tuple(name for name, variant in VARIANTS.items() if variant.is_default)
ALL_INT8 = tuple(name for name, variant in VARIANTS.items() if variant.is_all_int8)
TEXT_VARIANTS = tuple(name for name, variant in VARIANTS.items() if variant.for_text)
CANDIDATES = tuple(name for name, variant in VARIANTS.items() if not variant.not_auto)


def steps(variants: Sequence[str]) -> tuple[str, ...]:
    """Returns the parts of an export whose progress is shown: variants, and what `auto` does with each."""
    named = tuple(variant for variant in variants if variant != AUTO)
    others = [variant for variant in CANDIDATES if AUTO in variants and variant not in named]
    return (*named, *(f"{variant}: {what}" for what in ("converting", "verifying") for variant in others))


def is_exported(path: str | os.PathLike) -> bool:
    """Returns whether a path is that of a TFLite file or a SavedModel."""
    return str(path).endswith(".tflite") or os.path.isfile(os.path.join(path, SAVED_MODEL_MARK))
