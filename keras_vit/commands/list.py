"""Lists the recipes, models, searches or experiments that come with the package."""

from keras_vit.commands.json_option import add_json, json_file
from keras_vit.commands.quiet import quiet_import

EXAMPLE = "keras-vit list recipes"


def add_arguments(parser):
    names = ("recipes", "models", "searches", "experiments")
    parser.add_argument("what", choices=names, metavar=f"{{{','.join(names)}}}", help="which names")
    add_json(parser, "names, each with its line,")


def run(options):
    with json_file(options.json, []) as write:
        if options.what == "models":
            lines = dict(_models())
        else:
            lines = _modules(f"keras_vit.training.{options.what}")
        write(lines)
    for name, line in lines.items():
        print(f"{name:{max(map(len, lines)) + 1}} {line}")


def _modules(package):
    with quiet_import():
        from keras_vit.training.modules import find_module, module_names

        found = {name: find_module(package, name, "module") for name in module_names(package)}
    return {name: module.__doc__.splitlines()[0] for name, module in found.items()}


def _models():
    with quiet_import():
        from keras_vit.models.cnn import SIZES as CNNS
        from keras_vit.models.levit import SIZES as LEVITS
        from keras_vit.models.repvit import SIZES as REPVITS
        from keras_vit.models.resnet import SIZES as RESNETS
        from keras_vit.models.vit_variants import SIZES as VITS

    for name, size in VITS.items():
        yield f"vit {name}/PATCH", _fields(size)
    by_variant = {"cnn": CNNS, "resnet": RESNETS, "levit": LEVITS, "repvit": REPVITS}
    for model, sizes in by_variant.items():
        for name, size in sizes.items():
            yield f"{model} {name}", _fields(size)
    for name in ("mlp", "linear", "char_rnn", "char_transformer", "char_seq2seq"):
        yield name, f"sizes by fields, see keras_vit.models.{name}"


def _fields(size):
    return " ".join(f"{field}={value}" for field, value in size._asdict().items()).replace(", ", ",")
