"""What makes a photo the input of a model, as lines of the languages of apps."""

import dataclasses
import json
import math
from collections.abc import Callable
from importlib.resources import files

from keras_vit.export.app.template import filled
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.io.sixteen_bits import HIGHEST


@dataclasses.dataclass(frozen=True)
class _Language:
    """How a language spells the arithmetic of `Preprocessing`."""

    declare: Callable  # of a name and a value
    ratio: Callable  # of `min` or `max` and two sides
    scaled: Callable  # of a side: divided by the ratio and rounded, at least 1
    part: Callable  # of a side: its share when the short side becomes `edge`
    shorter: str
    stretch: str  # of the filter where a side becomes shorter, which is the averaging
    rounds: dict  # by whether the corner of the crop is rounded down
    weights: dict  # of filters


LANGUAGES = {
    "kotlin": _Language(
        lambda name, value: f"val {name} = {value}",
        lambda which, wide, high: f"{which}Of(wide / {wide}.0, high / {high}.0)",
        lambda side: f"maxOf(1, Math.rint({side} / ratio).toInt())",
        lambda edge, side: f"{edge} * {side} / short",
        "minOf(wide, high)",
        "maxOf(scale, 1.0)",
        {False: "Math.rint", True: "Math.floor"},
        {
            "nearest": "1.0",
            "bilinear": "maxOf(0.0, 1 - x)",
            "bicubic": (
                "if (x < 1) (1.5 * x - 2.5) * x * x + 1 "
                "else if (x < 2) -0.5 * (((x - 5) * x + 8) * x - 4) else 0.0"
            ),
            "lanczos": (
                "if (x == 0.0) 1.0 else if (x >= 3) 0.0 "
                "else 3 * Math.sin(Math.PI * x) * Math.sin(Math.PI * x / 3) / (Math.PI * x * Math.PI * x)"
            ),
        },
    ),
    "swift": _Language(
        lambda name, value: f"let {name} = {value}",
        lambda which, wide, high: f"{which}(Double(wide) / {wide}, Double(high) / {high})",
        lambda side: f"max(1, Int((Double({side}) / ratio).rounded(.toNearestOrEven)))",
        lambda edge, side: f"{edge} * {side} / short",
        "min(wide, high)",
        "max(scale, 1)",
        {False: "room.rounded(.toNearestOrEven)", True: "room.rounded(.down)"},
        {
            "nearest": "1",
            "bilinear": "max(0, 1 - x)",
            "bicubic": "x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? -0.5 * (((x - 5) * x + 8) * x - 4) : 0",
            "lanczos": (
                "x == 0 ? 1 : x >= 3 ? 0 "
                ": 3 * sin(Double.pi * x) * sin(Double.pi * x / 3) / pow(Double.pi * x, 2)"
            ),
        },
    ),
    "python": _Language(
        lambda name, value: f"{name} = {value}",
        lambda which, wide, high: f"{which}(wide / {wide}, high / {high})",
        lambda side: f"max(1, round({side} / ratio))",
        lambda edge, side: f"{edge} * {side} // short",
        "min(wide, high)",
        "",
        {
            False: "round((new - size) / 2) if new > size else -((size - new) // 2)",
            True: "(new - size) // 2 if new > size else -((size - new) // 2)",
        },
        {},
    ),
}
REACH = {"nearest": 0.5, "bilinear": 1, "bicubic": 2, "lanczos": 3}  # pixels; "nearest" reads one


def preparation(language: str, how: Preprocessing) -> str:
    """Returns lines of `"kotlin"`, `"swift"`, `"python"` or `"javascript"` that prepare a photo.

    They do what `Preprocessing` does with decoded RGB, to a grey level: turned upright, on the background,
    the part that the model was trained on, resized as in training. Where "nearest" is halfway between two
    pixels, it may be the other one.

    >>> print(preparation("python", Preprocessing.of("center_crop", 96)).splitlines()[-1])
        return np.asarray(part)
    """
    if language == "javascript":
        return (files("keras_vit.export.web") / "page/images/pixels.js").read_text(encoding="utf-8")
    spelt = LANGUAGES[language]
    height, width = how.image_size
    low, high = how.window or (0, HIGHEST)
    border = how.border_levels(3)
    newer = ("new_width", "new_height") if language == "python" else ("newWidth", "newHeight")
    values = {
        "WIDTH": width,
        "HEIGHT": height,
        "BACKGROUND": "0x" + bytes(how.background).hex(),
        "BACKGROUND_LEVELS": ", ".join(map(str, how.background)),
        "BORDER": "0xff" + bytes(border).hex(),
        "BORDER_LEVELS": ", ".join(map(str, border)),
        "LOW": low,
        "HIGH": high,
        "REACH": float(REACH[how.interpolation]),
        "SPREAD": "1.0" if how.interpolation == "nearest" else spelt.stretch,
        "FILTER": how.interpolation,
        "FILTER_NAME": how.interpolation.upper(),
        "WEIGHT": spelt.weights.get(how.interpolation),
        "RESIZED": "\n".join(_resized(spelt, how, *newer)),
        "ROUND": spelt.rounds[how.crop_mode == "shortest_edge"],
        "PLACE": spelt.rounds[how.crop_mode == "shortest_edge"],
    }
    return filled(f"{language}_prepare", **values)


def fields_in_javascript(how: Preprocessing) -> str:
    """Returns the fields that the lines in JavaScript take."""
    return json.dumps(dataclasses.asdict(how))


def _resized(spelt, how, new_width, new_height):
    """Lines that compute the size of the whole photo, of which the middle is taken."""
    high, wide = (max(1, math.floor(side / how.crop_ratio)) for side in how.image_size)
    if how.crop_mode == "squash":
        return [spelt.declare(new_width, wide), spelt.declare(new_height, high)]
    if how.crop_mode == "shortest_edge" or how.crop_mode == "center" and high == wide:
        edge = min(high, wide)
        sides = (spelt.part(edge, "wide"), spelt.part(edge, "high"))
        first = spelt.declare("short", spelt.shorter)
    else:
        sides = (spelt.scaled("wide"), spelt.scaled("high"))
        first = spelt.declare("ratio", spelt.ratio("max" if how.crop_mode == "border" else "min", wide, high))
    return [
        first,
        *(spelt.declare(name, side) for name, side in zip((new_width, new_height), sides, strict=True)),
    ]
