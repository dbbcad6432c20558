"""Shows what there is."""

from keras_vit.commands.quiet import quiet_import

EXAMPLE = "keras-vit list recipes"


def add_arguments(parser):
    parser.add_argument("what", choices=("recipes", "models", "searches", "experiments"))


def run(options):
    {"recipes": _recipes, "models": _models, "searches": _searches, "experiments": _experiments}[
        options.what
    ]()


def _recipes():
    from keras_vit.training.recipes import find_recipe, recipe_names

    for name in recipe_names():
        print(f"{name:24} {find_recipe(name).__doc__.splitlines()[0]}")


def _searches():
    with quiet_import():
        from keras_vit.training.searches import find_search, search_names

    for name in search_names():
        print(f"{name:24} {find_search(name).__doc__.splitlines()[0]}")


def _experiments():
    with quiet_import():
        from keras_vit.training.experiments import experiment_names, find_experiment

    for name in experiment_names():
        print(f"{name:32} {find_experiment(name).__doc__.splitlines()[0]}")


def _models():
    with quiet_import():
        from keras_vit.models.cnn import SIZES as CNNS
        from keras_vit.models.resnet import SIZES as RESNETS
        from keras_vit.models.vit_variants import SIZES as VITS

    for name, size in VITS.items():
        print(f"{'vit ' + name + '/PATCH':18} {_fields(size)}")
    for model, sizes in (("cnn", CNNS), ("resnet", RESNETS)):
        for name, size in sizes.items():
            print(f"{model + ' ' + name:18} {_fields(size)}")
    for name in ("mlp", "linear", "char_rnn", "char_transformer"):
        print(f"{name:18} sizes by fields, see keras_vit.models.{name}")


def _fields(size):
    return " ".join(f"{field}={value}" for field, value in size._asdict().items()).replace(", ", ",")
