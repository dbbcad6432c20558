"""Shows what there is."""

from keras_vit.commands.quiet import quiet_import

EXAMPLE = "keras-vit list recipes"


def add_arguments(parser):
    parser.add_argument("what", choices=("recipes", "models", "searches", "experiments"))


def run(options):
    if options.what == "models":
        _models()
    else:
        _modules(f"keras_vit.training.{options.what}")


def _modules(package):
    with quiet_import():
        from keras_vit.training.modules import find_module, module_names

        found = {name: find_module(package, name, "module") for name in module_names(package)}
    for name, module in found.items():
        print(f"{name:{max(map(len, found)) + 1}} {module.__doc__.splitlines()[0]}")


def _models():
    with quiet_import():
        from keras_vit.models.cnn import SIZES as CNNS
        from keras_vit.models.levit import SIZES as LEVITS
        from keras_vit.models.repvit import SIZES as REPVITS
        from keras_vit.models.resnet import SIZES as RESNETS
        from keras_vit.models.vit_variants import SIZES as VITS

    for name, size in VITS.items():
        print(f"{'vit ' + name + '/PATCH':18} {_fields(size)}")
    by_variant = {"cnn": CNNS, "resnet": RESNETS, "levit": LEVITS, "repvit": REPVITS}
    for model, sizes in by_variant.items():
        for name, size in sizes.items():
            print(f"{model + ' ' + name:18} {_fields(size)}")
    for name in ("mlp", "linear", "char_rnn", "char_transformer"):
        print(f"{name:18} sizes by fields, see keras_vit.models.{name}")


def _fields(size):
    return " ".join(f"{field}={value}" for field, value in size._asdict().items()).replace(", ", ",")
