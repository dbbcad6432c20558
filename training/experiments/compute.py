"""The cost of models: parameters, operations and activations, and how attention scales with the image size.

keras-vit reproduce compute
"""

from keras_vit.models import vit
from keras_vit.training.flops import count_activation_bytes, count_flops
from keras_vit.training.report.style import BLUE, ORANGE, figure
from keras_vit.training.reproduce.results import Computation

SIZES = (32, 64, 128, 224, 320, 448)  # pixels
VARIANT, PATCH_SIZE, HIDDEN_DIM, NUM_LAYERS = "Ti/16", 16, 192, 12


def rows():
    """Returns a row for each image size of a Ti/16."""
    return [_row(size) for size in SIZES]


def _row(image_size):
    model = vit(VARIANT, image_size=image_size, num_classes=10)
    tokens = (image_size // PATCH_SIZE) ** 2 + 1
    flops = count_flops(model)
    # Scores and their product with the values: two products of tokens x tokens x hidden_dim in each block.
    attention = NUM_LAYERS * 2 * 2 * tokens**2 * HIDDEN_DIM
    return {
        "image_size": image_size,
        "tokens": tokens,
        "parameters": model.count_params(),
        "gflops": flops / 1e9,
        "share_quadratic": attention / flops,
        "activations_mb": count_activation_bytes(model) / 1e6,
    }


def _costs(rows):
    canvas = figure(height=5.2)
    flops, memory = canvas.subplots(2, 1, sharex=True)
    sizes = [row["image_size"] for row in rows]
    flops.plot(sizes, [row["gflops"] for row in rows], marker="o", color=BLUE, label="all operations")
    quadratic = [row["gflops"] * row["share_quadratic"] for row in rows]
    flops.plot(sizes, quadratic, marker="s", linestyle="--", color=ORANGE, label="quadratic in the tokens")
    flops.set_ylabel("GFLOPs, one image")
    flops.legend()
    memory.plot(sizes, [row["activations_mb"] for row in rows], marker="o", color=BLUE)
    memory.set_ylabel("Activations (MB)")
    memory.set_xlabel("Image size (pixels)")
    for axes in (flops, memory):
        axes.set_ylim(bottom=0)
        axes.grid(axis="y", color="0.9")
    caption = "Operations and activations of one image by its size; the part that grows with tokens squared."
    return "costs", caption, canvas


EXPERIMENT = Computation(
    title="Compute and memory of a Vision Transformer",
    rows=rows,
    assumptions="A multiplication and an addition are two operations. Activations are all tensors of a "
    "forward pass in float32, views left out: what training holds when nothing is fused or computed twice.",
    plots=(_costs,),
)
