"""The style of all pictures. Figures are made without pyplot, which shares state."""

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from keras_vit.io.files import atomic_path

# Colours that the colour-blind can distinguish: Okabe and Ito 2008, https://jfly.uni-koeln.de/color/
BLUE, ORANGE, GREEN, SKY = "#0072b2", "#d55e00", "#009e73", "#56b4e9"
WIDTH = 5.0  # inches; on a phone 11 points then appear as 11 pixels
DPI = 200
SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": False,
    "axes.axisbelow": True,  # grids are behind bars too
    "text.usetex": False,
}
_WORDS = {
    "val": "validation",
    "dim": "size",
    "num": "number of",
    "subset": "training images",
    "mlp": "MLP",
    "randaugment": "RandAugment",
}


def drawing():
    """Returns a context in which figures get the report's style, whatever the user's settings.

    Their backend stays: a context does not put it back, and a notebook would show no more pictures.
    """
    defaults = {name: value for name, value in matplotlib.rcParamsDefault.items() if name != "backend"}
    return matplotlib.rc_context({**defaults, **SETTINGS})


def figure(height, width=WIDTH):
    """Returns an empty figure of that size in inches, with constrained layout."""
    canvas = Figure(figsize=(width, height), layout="constrained", dpi=DPI)
    FigureCanvasAgg(canvas)
    return canvas


def save_atomically(canvas, path):
    """Writes a figure as `save` does, wholly or not at all."""
    with atomic_path(path) as temporary:
        save(canvas, temporary)


def words(key):
    """Returns the name of a field or figure as a label, such as `"Validation accuracy"`."""
    text = phrase(key)
    return text[0].upper() + text[1:]


def phrase(key):
    """Returns the name of a field or figure within a sentence, such as `"validation accuracy"`."""
    return " ".join(_WORDS.get(part, part) for part in key.split("_"))


def percent_axis(axis, key):
    """Labels the axis of an accuracy with per cent; leaves others unchanged."""
    if key.endswith("accuracy"):
        axis.set_major_formatter(PercentFormatter(xmax=1, decimals=None))


def save(canvas, path):
    """Writes a figure as PNG, the same bytes for the same figure.

    The canvas writes what `savefig` does, which draws everything once more to know how large it is.
    """
    canvas.canvas.print_png(path, metadata={"Software": None})


def image_pairs(images, margin):
    """Draws images one below the other, with empty axes next to each.

    Returns the figure and the axes, `(num_images, 2)`; `margin` is the height of its other parts in inches.
    """
    canvas = figure(height=WIDTH / 2 * len(images) * images.shape[1] / images.shape[2] + margin)
    pairs = canvas.subplots(len(images), 2, squeeze=False)
    for (left, right), image in zip(pairs, images, strict=True):
        show_image(left, image)
        right.set_axis_off()
    return canvas, pairs


def show_image(axes, image):
    """Draws one uint8 image `(height, width, channels)` without axes: grey, or its first three channels."""
    pixels = np.asarray(image)
    pixels = pixels[..., :3] if pixels.shape[-1] >= 3 else np.repeat(pixels[..., :1], 3, axis=-1)
    axes.imshow(pixels.astype("uint8"), interpolation="nearest")
    axes.set_axis_off()


def color_bar(canvas, picture, axes, label):
    """Adds a horizontal colour bar below some axes; returns it."""
    bar = canvas.colorbar(picture, ax=axes, orientation="horizontal", shrink=0.8, aspect=30, pad=0.02)
    bar.set_label(label)
    bar.outline.set_visible(False)
    return bar
