"""Answers a slip in a recipe's name, field or data before Keras is imported, which takes seconds."""

import ast
from pathlib import Path

from keras_vit.commands.data_option import check_spec
from keras_vit.errors import InputError, nearest
from keras_vit.importing import is_name
from keras_vit.training.modules import check_name
from keras_vit.training.recipes import recipe_names
from keras_vit.training.searches import check_search_name

_PACKAGE = Path(__file__).parent.parent
_FIELDS = (  # where classes and functions have the fields of recipes, those of models included
    "training/common_recipe.py",
    "training/image_recipe.py",
    "training/text_recipes.py",
    "training/augmentation/settings.py",
    "layers/_options.py",
    "models/*.py",
)
_CLASSES = ("Recipe", "Augmentation", "Options")


def refuse_slips(name, assignments, is_search=False):
    """Raises InputError for an unknown recipe or search, a field close to a known one, or absent data.

    What else may be wrong is left to `keras_vit.training.recipe`, which knows each kind of recipe and model.
    """
    for field, _, value in (text.partition("=") for text in assignments):
        if field == "data" and value and not (is_search and "," in value):
            check_spec(value)
    path = Path(name)
    if path.suffix in (".py", ".json") or path.is_dir() or is_name(name):
        return  # its model may be a user's, with arguments of its own
    if is_search:
        check_search_name(name)
    else:
        check_name(name, "recipe", recipe_names())
    if any(text.startswith("model=") and ":" in text for text in assignments):
        return
    known = field_names()
    for field in (text.partition("=")[0] for text in assignments):
        if field not in known and (near := nearest(field, known, cutoff=0.75)):
            raise InputError(f"Unknown recipe field {field!r}. Did you mean {near}?")


def field_names():
    """Returns the fields of the recipes of all kinds and models, read from the sources.

    A few of them are decided by the data, which no recipe accepts.
    """
    names = set()
    for path in (path for pattern in _FIELDS for path in _PACKAGE.glob(pattern)):
        for statement in ast.parse(path.read_bytes()).body:
            if isinstance(statement, ast.ClassDef) and statement.name.endswith(_CLASSES):
                names |= {part.target.id for part in statement.body if isinstance(part, ast.AnnAssign)}
            elif isinstance(statement, ast.FunctionDef) and statement.name == path.stem:
                names |= {argument.arg for argument in statement.args.args + statement.args.kwonlyargs}
    return sorted(names)
