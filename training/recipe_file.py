"""Recipes by name or from a file."""

import importlib.util
import re
from pathlib import Path

from keras_vit.errors import InputError, first_line
from keras_vit.io.files import read_text, write_text
from keras_vit.io.json_files import read_json
from keras_vit.training.fields import unused_fields
from keras_vit.training.recipe import ImageRecipe, Recipe, TextRecipe
from keras_vit.training.recipes import find_recipe

_NEUTRAL = {"label_smoothing": 0.0}  # what version 0.1 required of text, whose recipes have no such field


def read_recipe(name):
    """Returns a recipe.

    Args:
        name: str, of a recipe that comes with the package; or the path of a `.py` file that defines `RECIPE`
            (its code is run), of a `recipe.json`, or of a run folder that holds one.

    Returns:
        ImageRecipe or TextRecipe.

    Raises:
        InputError: there is none, or it is no recipe.
    """
    path = Path(name)
    if path.suffix == ".py":
        return load_object(path, "RECIPE", Recipe)
    if path.suffix == ".json":
        return load_recipe(path)
    if path.is_dir():
        return load_recipe(path / "recipe.json")
    return find_recipe(name).RECIPE


def load_recipe(path):
    """Reads the `recipe.json` of a run folder.

    Raises:
        InputError: missing, no JSON, or not a recipe.
    """
    fields = read_json(path, dict).get("recipe")
    if not isinstance(fields, dict):
        raise InputError(f"Expected {path} to hold a 'recipe' object. Train again to write one.")
    return recipe_of(fields, path)


def recipe_of(fields, path):
    """Makes a recipe of the flat dict that `Recipe.as_dict` returned.

    Recipes of version 0.1 held the fields of images and of text, and those without effect too: these are
    left out.

    Args:
        fields: dict, parsed from JSON.
        path: str or Path of its file, for messages.

    Raises:
        InputError: a field that no recipe has, or a value that it cannot have.
    """
    is_text = isinstance(fields.get("model"), str) and fields["model"] in TextRecipe.builders
    kind, other = (TextRecipe, ImageRecipe) if is_text else (ImageRecipe, TextRecipe)
    known, foreign = (every.types(*every.builders) for every in (kind, other))
    unknown = sorted(set(fields) - set(known) - set(foreign))
    if unknown:
        shown = ", ".join(name[:40] for name in unknown[:20])
        more = f" and {len(unknown) - 20} more" if len(unknown) > 20 else ""
        raise InputError(f"{path} holds fields that no recipe has: {shown}{more}.")
    own = {name: value for name, value in fields.items() if name in known}
    strange = fields.keys() - own.keys()
    defaults = other().as_dict() | _NEUTRAL if is_text else other().as_dict()
    if changed := [name for name in sorted(strange) if fields[name] not in (None, defaults.get(name))]:
        raise InputError(f"{path} has fields that {kind.__name__} has no use for: {', '.join(changed)}.")
    if strange:  # written by version 0.1
        values = {name: own.get(name, default) for name, default in kind().as_dict().items()}
        own = {name: v for name, v in own.items() if name not in unused_fields(kind, values)}
    return kind(**own)


def write_recipe(path, recipe, docstring):
    """Writes a recipe as a Python file like those that come with the package.

    Args:
        path: str or Path, ends in `.py`.
        recipe: ImageRecipe or TextRecipe. Fields at their defaults are left out.
        docstring: str.
    """
    kind = type(recipe).__name__
    lines = [f"    {name}={value!r},\n" for name, value in recipe.changed().items()]
    header = f'"""{docstring}\n"""\n\nfrom keras_vit.training import {kind}\n\n'
    write_text(path, f"{header}RECIPE = {kind}(\n{''.join(lines)})\n")


def load_object(path, name, kind):
    """Returns the object of a name and class that a Python file defines; its code is run.

    Raises:
        InputError: no file, its code fails, or it defines no such object.
    """
    path, noun = Path(path), kind.__name__
    if not path.is_file():
        raise InputError(f"Expected a {noun.lower()} file at {path}, found none.")
    spec = importlib.util.spec_from_file_location(f"{noun.lower()}_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # it may be any code
        if re.search(r"^from training\b.*\bRecipe\b", read_text(path), re.MULTILINE):
            raise InputError(
                f"{path} imports `training`, as recipes of version 0.1 did. Write `from keras_vit.training "
                "import ImageRecipe` (TextRecipe for text), and ImageRecipe(...) instead of Recipe(...)."
            ) from error
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be run: {type(error).__name__}: {first_line(error)}") from error
    found = getattr(module, name, None)
    if not isinstance(found, kind):
        raise InputError(f"Expected {path} to define {name}, a {noun}, received {found!r}.")
    return found
