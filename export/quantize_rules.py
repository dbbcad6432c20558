"""Which operators each variant quantises, and how: one row per rule, later rows win."""

from typing import NamedTuple

# Its inputs and outputs change little from image to image, so that one range for all does. Seen on a trained
# Vision Transformer: with qkv, patches and head static too, the KL divergence from float32 trebles.
STEADY = "attention/projection/|mlp/expansion/|mlp/projection/"


class Rule(NamedTuple):
    """What is done to the operators whose output's name matches."""

    operators: str  # ai-edge-quantizer's name of an operator; "*" for all
    weight_bits: int  # 0 leaves them in float
    activation_bits: int = 0  # 0: activations are quantised as they come ("dynamic")
    names: str = ".*"  # regular expression


FLOAT_ENDS = (Rule("INPUT", 0), Rule("OUTPUT", 0))  # an app gives and takes float32
# LiteRT refuses one with int8 on the left alone, as where the attention rollout begins with a constant.
FLOAT_PRODUCTS = (Rule("BATCH_MATMUL", 0),)

RULES = {
    "dynamic_int8": (Rule("*", 8), *FLOAT_PRODUCTS),
    "mixed_int8": (Rule("FULLY_CONNECTED", 8), Rule("FULLY_CONNECTED", 8, 8, STEADY)),
    "full_int8": (Rule("*", 8, 8), *FLOAT_ENDS),
    "int16x8": (Rule("*", 8, 16), *FLOAT_ENDS),
    "int4": (Rule("*", 8), *FLOAT_PRODUCTS, Rule("FULLY_CONNECTED", 4)),
}


def needs_calibration(variant):
    """Whether a variant fixes the range of activations beforehand."""
    return any(rule.activation_bits for rule in RULES.get(variant, ()))
