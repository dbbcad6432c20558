"""Recipes by name or from a file."""

import re
from pathlib import Path
from typing import Any

from keras_vit.constraints import annotations
from keras_vit.errors import InputError, listed
from keras_vit.importing import import_file
from keras_vit.io.files import read_text, write_text
from keras_vit.io.json_files import read_json
from keras_vit.training.own_parts import is_part
from keras_vit.training.recipe import ImageRecipe, PairRecipe, Recipe, TextRecipe
from keras_vit.training.recipes import find_recipe

_EARLIER = {"near_duplicates": False}  # what recipes of images without this field did
_ONCE_ACCEPTED = {"test_fraction", "split_seed"}  # with a fold or running text, without an effect
_CONTINUED = {"monitor": "accuracy", **_EARLIER}  # what a run of an earlier version is continued with
_NEUTRAL = {"label_smoothing": 0.0}  # what version 0.1 required of text, whose recipes have no such field


def read_recipe(name: str) -> Recipe:
    """Returns the recipe of a name, a `.py` file (its code is run), a `recipe.json` or a run folder."""
    path = Path(name)
    if path.suffix == ".py":
        return load_object(path, "RECIPE", Recipe)
    if path.suffix == ".json":
        return load_recipe(path)
    if path.is_dir():
        return load_recipe(path / "recipe.json")
    return find_recipe(name).RECIPE


def load_recipe(path: str | Path) -> Recipe:
    """Reads the `recipe.json` of a run folder."""
    fields = read_json(path, dict).get("recipe")
    if not isinstance(fields, dict):
        raise InputError(f"Expected {path} to contain a 'recipe' object. Train again to write one.")
    return recipe_of(fields, path)


def recipe_of(fields: dict[str, Any], path: str | Path) -> Recipe:
    """Makes a recipe of the flat dict that `Recipe.as_dict` returned; messages name its file, `path`.

    Recipes of version 0.1 contained the fields of images and of text, also those without effect: these are
    left out, as are arguments of models without effect, which earlier versions accepted.
    """
    model = fields.get("model")
    is_own = is_part(model)
    if isinstance(model, str) and model in PairRecipe.builders:  # younger than what follows
        if unknown := sorted(set(fields) - set(PairRecipe.types(*PairRecipe.builders))):
            raise _unknown(unknown, path)
        return PairRecipe(**fields)
    is_text = "lines" in fields if is_own else isinstance(model, str) and model in TextRecipe.builders
    kind, other = (TextRecipe, ImageRecipe) if is_text else (ImageRecipe, TextRecipe)
    known, foreign = kind.types(*kind.builders, *([model] if is_own else [])), other.types(*other.builders)
    unknown = sorted(set(fields) - set(known) - set(foreign))
    if unknown:
        raise _unknown(unknown, path)
    own = {name: value for name, value in fields.items() if name in known}
    if kind is ImageRecipe:
        own = _EARLIER | own
    strange = fields.keys() - own.keys()
    usual = other().as_dict() | _NEUTRAL if is_text else other().as_dict()
    if changed := [name for name in sorted(strange) if fields[name] not in (None, usual.get(name))]:
        raise InputError(f"{path} has fields that {kind.__name__} has no use for: {', '.join(changed)}.")
    if isinstance(model, str):
        lost = kind.unused(own)
        refused = set() if strange else annotations(kind).keys() - _ONCE_ACCEPTED
        own = {name: value for name, value in own.items() if name not in lost - refused}
    return kind(**own)


def _unknown(names, path):
    shown = listed(name[:40] for name in names)
    return InputError(f"{path} contains fields that no recipe has: {shown}.")


def as_started(recipe: Recipe, path: Path) -> Recipe:
    """Returns the recipe that continues a run, whose `recipe.json` is at a path if it was started.

    A field that is left open gets what earlier versions did, where the run was started by, or as, one.
    """
    if not path.is_file():
        return recipe
    before = load_recipe(path)
    is_open = {name: getattr(recipe, name, True) is None for name in _CONTINUED}
    same = {name: v for name, v in _CONTINUED.items() if is_open[name] and getattr(before, name) == v}
    return recipe.replace(**same) if same else recipe


def write_recipe(path: str | Path, recipe: Recipe, docstring: str) -> None:
    """Writes a recipe as a Python file like those of the package, without fields at their defaults."""
    kind = type(recipe).__name__
    lines = [f"    {name}={value!r},\n" for name, value in recipe.changed().items()]
    header = f'"""{docstring}\n"""\n\nfrom keras_vit.training import {kind}\n\n'
    write_text(path, f"{header}RECIPE = {kind}(\n{''.join(lines)})\n")


def load_object(path: str | Path, name: str, kind: type) -> Any:
    """Returns the object of a name and class that a Python file defines; its code is run."""
    path, noun = Path(path), kind.__name__
    if not path.is_file():
        raise InputError(f"Expected a {noun.lower()} file at {path}, found none.")
    try:
        module = import_file(path)
    except InputError as error:
        if re.search(r"^from training\b.*\bRecipe\b", read_text(path), re.MULTILINE):
            raise InputError(
                f"{path} imports `training`, as recipes of version 0.1 did. Write `from keras_vit.training "
                "import ImageRecipe` (TextRecipe for text), and ImageRecipe(...) instead of Recipe(...)."
            ) from error
        raise
    found = getattr(module, name, None)
    if not isinstance(found, kind):
        raise InputError(f"Expected {path} to define {name}, a {noun}, received {found!r}.")
    return found
