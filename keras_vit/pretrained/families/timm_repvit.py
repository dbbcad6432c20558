"""timm's `RepVit`.

Reference: https://github.com/huggingface/pytorch-image-models, timm/models/repvit.py
"""

from keras_vit.errors import InputError
from keras_vit.models.repvit import SIZES, repvit
from keras_vit.pretrained.families import timm
from keras_vit.pretrained.families.batch_normalized import (
    CONVOLUTION,
    DEPTHWISE,
    UNUSED,
    batch_norm,
    convolution,
    stages_of,
)
from keras_vit.pretrained.family import Family, Reading
from keras_vit.pretrained.mapping import Row, linear

GRAPH = dict.fromkeys(("mlp_ratio", "kernel_size", "act_layer", "legacy"))
FIRST = "stages.0.blocks.0.token_mixer"


def read(config, tensors):
    timm.check_graph(config, tensors, GRAPH)
    filters, layers = stages_of(tensors, "token_mixer.conv.c.weight")
    variants = [name for name, row in SIZES.items() if (filters, layers) == (row.filters, row.num_layers)]
    if not variants:
        raise InputError(
            f"{tensors.where}: no RepViT of keras_vit has stages of {filters} filters and {layers} blocks."
        )
    preprocessing = timm.preprocessing_of(config)
    arguments = {
        "variant": variants[0],
        "image_size": config.get("model_args", {}).get("img_size", preprocessing.image_size),
        "num_classes": tensors.size("head.head.l.weight"),
        "channels": tensors.size("stem.conv1.c.weight", axis=1),
        "distillation_head": "head.head_dist.l.weight" in tensors,
    }
    return Reading(arguments, preprocessing)


def table(arguments):
    row = SIZES[arguments["variant"]]
    rows = [*convolution("stem_0", "stem.conv1"), *convolution("stem_1", "stem.conv2")]
    for stage, count in enumerate(row.num_layers):
        if stage > 0:
            ours, theirs = f"{stage}_halving", f"stages.{stage}.downsample"
            rows += _block(f"{ours}_before", f"{theirs}.pre_block", weights_channels=False)
            rows.append(Row(f"depthwise_{ours}/kernel", f"{theirs}.spatial_downsample.c.weight", DEPTHWISE))
            rows += batch_norm(f"norm_{ours}", f"{theirs}.spatial_downsample.bn")
            rows += convolution(f"{ours}_widening", f"{theirs}.channel_downsample")
            rows += _mlp(ours, f"{theirs}.ffn")
        for index in range(count):
            rows += _block(f"{stage}_{index}", f"stages.{stage}.blocks.{index}", index % 2 == 0)
    for ours, theirs in (("head", "head.head"), ("distillation_head", "head.head_dist")):
        rows += [*batch_norm(f"norm_{ours}", f"{theirs}.bn"), *linear(ours, f"{theirs}.l")]
    return tuple(rows)


def _block(place, theirs, weights_channels):
    ours, mixer = f"depthwise_{place}", f"{theirs}.token_mixer"
    rows = [
        Row(f"{ours}/convolution/kernel", f"{mixer}.conv.c.weight", DEPTHWISE),
        *batch_norm(f"{ours}/convolution_norm", f"{mixer}.conv.bn"),
        *linear(f"{ours}/pointwise", f"{mixer}.conv1", layout=DEPTHWISE),
        *batch_norm(f"{ours}/norm", f"{mixer}.bn"),
    ]
    if weights_channels:
        rows += linear(f"squeeze_{place}", f"{theirs}.se.fc1", layout=CONVOLUTION)
        rows += linear(f"excitation_{place}", f"{theirs}.se.fc2", layout=CONVOLUTION)
    return rows + _mlp(place, f"{theirs}.channel_mixer")


def _mlp(place, theirs):
    return [
        *convolution(f"{place}_expansion", f"{theirs}.conv1"),
        *convolution(f"{place}_projection", f"{theirs}.conv2"),
    ]


FAMILY = Family(
    name="timm RepViT",
    table=table,
    signatures=({"stem.conv1.c.weight", f"{FIRST}.conv.c.weight", f"{FIRST}.conv1.weight"},),
    read=read,
    unused=UNUSED,
    build=repvit,
)
