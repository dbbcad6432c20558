"""Recipes by name or from a file."""

import dataclasses
import importlib.util
from pathlib import Path

from keras_vit.errors import InputError, first_line
from keras_vit.io.files import write_text
from keras_vit.training.recipe import Recipe, load_recipe
from keras_vit.training.recipes import find_recipe


def read_recipe(name):
    """Returns a recipe.

    Args:
        name: str, of a recipe that comes with the package; or the path of a `.py` file that defines `RECIPE`
            (its code is run), of a `recipe.json`, or of a run folder that holds one.

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


def write_recipe(path, recipe, docstring):
    """Writes a recipe as a Python file like those that come with the package.

    Args:
        path: str or Path, ends in `.py`.
        recipe: Recipe. Fields at their defaults are left out.
        docstring: str.
    """
    fields = [(f.name, getattr(recipe, f.name)) for f in dataclasses.fields(Recipe)]
    changed = [(n, v) for n, v in fields if v != getattr(Recipe(), n)]
    lines = [f"    {name}={value!r},\n" for name, value in changed]
    header = f'"""{docstring}\n"""\n\nfrom keras_vit.training.recipe import Recipe\n\n'
    text = f"{header}RECIPE = Recipe(\n{''.join(lines)})\n"
    write_text(path, text)


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
    except InputError:
        raise
    except Exception as error:  # it may be any code
        raise InputError(f"{path} cannot be run: {type(error).__name__}: {first_line(error)}") from error
    found = getattr(module, name, None)
    if not isinstance(found, kind):
        raise InputError(f"Expected {path} to define {name} = {noun}(...), received {found!r}.")
    return found
