"""Parameters, operations and latency of the variants of models, as the page of the site shows them.

    python benchmarks/model_sizes.py --write docs/reference/sizes.md

Latency is that of TFLite files for one image: the median CPU time of one thread, pinned to one core, in
interleaved rounds of the model's files. Weights are random: time does not depend on them. Large models are
not timed.
"""

import functools
import tempfile
from pathlib import Path

from interleaved import median_times, parser, pin
from tflite_latency import invoker, our_files

VARIANTS = ("fp32", "dynamic_int8")
TIMED = 30_000_000  # parameters at most
TOO_LARGE = ("L", "H")  # to count operations in the memory of a usual machine
RECIPES = {  # image size, channels, and the accuracy in docs/results/index.md
    "vit_cifar10": (32, 3, "CIFAR-10: 82.4 %"),
    "vit_mnist": (28, 1, "MNIST: 99.6 %"),
    "vit_digits": (8, 1, "digits: 98.6 %"),
}


def main():
    arguments = parser(__doc__, rounds=20)
    arguments.add_argument("--write", type=Path, help="write the page there")
    arguments.add_argument("--only", nargs="+", metavar="NAME", help="rows of these models")
    options = arguments.parse_args()
    pin(options.core)
    rows = [
        row(name, build, options.rounds)
        for name, build in models().items()
        if name in (options.only or models())
    ]
    page = HEAD.format(processor=processor()) + "".join(rows) + foot(options.only)
    print(page)
    if options.write:
        options.write.write_text(page, encoding="utf-8")


def models():
    """Functions that build each model, by name."""
    from keras_vit.models import cnn, levit, repvit, resnet, vit
    from keras_vit.models.cnn import SIZES as CNNS
    from keras_vit.models.levit import SIZES as LEVITS
    from keras_vit.models.repvit import SIZES as REPVITS
    from keras_vit.models.resnet import SIZES as RESNETS
    from keras_vit.models.vit_variants import SIZES as VITS

    patches = {
        "B": (16, 32),
        "Lite-6": (4,),
        "Lite-7": (4,),
        "Micro": (4,),
        "Nano": (4,),
        "Pico": (1, 2),
    }
    found = {}
    for size, row in VITS.items():
        if size in TOO_LARGE:
            continue
        classes = 1000 if row.image_size > 100 else 10
        for patch in patches.get(size, (16,)):
            name = f"{size}/{patch}"
            found[f"vit {name}"] = lambda name=name, classes=classes: vit(name, num_classes=classes)
    for size in CNNS:
        found[f"cnn {size}"] = lambda size=size: cnn(size)
    for build, sizes in ((resnet, RESNETS), (levit, LEVITS), (repvit, REPVITS)):
        for size, row in sizes.items():
            classes = 1000 if row.image_size > 100 else 10
            found[f"{build.__name__} {size}"] = functools.partial(build, size, num_classes=classes)
    for name, (side, channels, _) in RECIPES.items():
        found[f"recipe {name}"] = lambda name=name, size=side, channels=channels: of_recipe(
            name, size, channels
        )
    return found


def of_recipe(name, image_size, channels):
    from keras_vit.models import vit
    from keras_vit.training.recipes import find_recipe

    options = find_recipe(name).RECIPE.model_options
    return vit(**options, image_size=image_size, channels=channels, num_classes=10)


def row(name, build, rounds):
    import keras

    from keras_vit.training.flops import count_flops

    keras.backend.clear_session()
    model = build()
    _, height, _, channels = model.input_shape
    parameters = model.count_params()
    times = {}
    if parameters <= TIMED:
        with tempfile.TemporaryDirectory() as folder:
            files = our_files(model, VARIANTS, Path(folder))
            times = median_times({variant: invoker(files[variant]) for variant in VARIANTS}, rounds)
    latency = " | ".join(f"{times[variant]:.2f}" if times else "" for variant in VARIANTS)
    operations = f"{count_flops(model) / 1e9:.3g}"
    accuracy = RECIPES.get(name.removeprefix("recipe "))
    name = f"{name} ({accuracy[-1]})" if accuracy else name
    size = f"{height}{', grey' if channels == 1 else ''}"
    line = f"| {name} | {size} | {parameters:,} | {operations} | {latency} |\n"
    print(line, end="", flush=True)
    return line


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return "this processor"


HEAD = """# Sizes of models

Parameters, operations and latency of the variants. `keras-vit list models` shows the fields of each.
`keras_vit.models.vit("Ti/16")`, `cnn("3x3")`, `resnet("20")`, `levit("128S")` or `repvit("M0.9")` builds it,
and a recipe takes it as `variant=Ti/16`. Any number of pixels for a patch may stand behind the slash. Images
are squares of RGB pixels. There are 1,000 classes for images of 224 pixels, else 10.

Operations are floating-point operations for one image, in billions; a multiplication and an addition are two.
Latency is that of the TFLite file, one image, one thread of a shared {processor}: ratios carry over
to other machines, times do not. Models of more than 30 million parameters were not timed.
L/16 has 304,326,632 parameters.

| model | image | parameters | billion operations | fp32, ms | dynamic int8, ms |
| --- | --- | --- | --- | --- | --- |
"""
FOOT = """
`mlp`, `linear`, `char_rnn`, `char_transformer` and `char_seq2seq` take their sizes as fields.

Written by `python benchmarks/model_sizes.py{only} --write docs/reference/sizes.md`.
"""


def foot(only):
    return FOOT.format(only=f" --only {' '.join(map(repr, only))}" if only else "")


if __name__ == "__main__":
    main()
