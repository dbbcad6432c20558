"""What a search was asked to vary: recipes, or what a user builds."""

import re
from pathlib import Path
from typing import Any

from keras_vit.errors import InputError
from keras_vit.importing import import_module, import_named, is_name
from keras_vit.io.files import read_text
from keras_vit.training.searches import known_names
from keras_vit.training.tuning import Search
from keras_vit.training.tuning.builders.builder import EXPECTED, WHAT, is_builder
from keras_vit.training.tuning.plan import Plan, plan, plan_builder

_WORDS = {"assignments": "field=value"}  # options as users know them


def planned_search(source: Any, *, recipes: dict, builders: dict, data_dir=None, **options: Any) -> Plan:
    """Validates a search of either kind, with the options of both kinds and those of one kind alone."""
    builder, name = _builder_of(source)
    kind, others = ("a search over a builder", recipes) if builder is not None else ("recipes", builders)
    if given := [
        _WORDS.get(option, option) for option, value in others.items() if value not in (None, (), [])
    ]:
        hint = "their fields say it" if builder is None else "they are of recipes"
        raise InputError(f"Expected no {' and '.join(given)} with {kind}: {hint}. Leave them out.")
    if builder is None:
        return plan(source, **recipes, data_dir=data_dir, **options)
    return plan_builder(builder, name=name, **_with_own_data(builder, builders), **options)


def _builder_of(source):
    """Returns a builder, or its name, and the name of the search; `(None, None)` for recipes."""
    if isinstance(source, Search):
        return None, None
    text = str(source) if isinstance(source, str | Path) else ""
    if text.endswith(".py"):
        if Path(text).is_file() and not re.search(r"^SEARCH\b", read_text(text), re.MULTILINE):
            return f"{Path(text).resolve()}:build", text
        return None, None
    if is_name(text):
        found = import_named(text, WHAT)
        if not is_builder(found):
            raise InputError(f"Expected {text} to be {EXPECTED}, received {found!r:.80}.")
        return text, text
    if not text and is_builder(source):
        return source, None
    if not text:
        raise InputError(
            f"Expected a builder, {EXPECTED}, or the file or name of a search, {known_names()}; received "
            f"{source!r:.80}."
        )
    return None, None


def _with_own_data(builder, given):
    """Adds `train` and `validation` that the module of a builder defines, where they were not given."""
    if not isinstance(builder, str) or given["train"] is not None:
        return given
    place, _, name = builder.rpartition(":")
    module = import_module(place)
    if not hasattr(module, name):
        raise InputError(f"Expected {place} to define {name}(hp), or SEARCH, a Search.")
    if not hasattr(module, "train"):
        raise InputError(
            f"A search over a builder needs data: let {place} define train (and validation), arrays or a "
            "function that returns them, or give train=module:name."
        )
    own = {role: f"{place}:{role}" for role in ("train", "validation") if hasattr(module, role)}
    return {**given, **own, **{role: given[role] for role in own if given[role] is not None}}
