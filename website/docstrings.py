"""Lets griffe read this project's docstrings: `Example`, `Call arguments`, `Reference`."""

import importlib
import re
import textwrap

import griffe

_ARGUMENTS = re.compile(r"^(Args|Call arguments):\n((?:    .*\n?|\n(?=    ))+)", re.MULTILINE)
_RETURNS = re.compile(r"^Returns:\n((?:    .*\n?|\n(?=    ))+)", re.MULTILINE)
_ADDRESS = re.compile(r"(?<![<(`'\"])https?://[^\s;,]+[\w/]")


class Docstrings(griffe.Extension):
    """Rewrites each docstring before it is parsed, and shows signatures as a reader needs them."""

    def on_instance(self, *, obj, **_):
        if obj.docstring and not obj.is_alias:
            obj.docstring.value = rewritten(obj.docstring.value)

    def on_function(self, *, func, **_):
        for parameter in func.parameters:
            parameter.default = literal(parameter.default, func.module.path)

    def on_package(self, *, pkg, **_):
        """Gives each recipe the `__init__` that it inherits, which a dataclass with its own would replace."""
        recipe = pkg["training.common_recipe.Recipe"]
        for name in ("TextRecipe", "PairRecipe"):
            pkg[f"training.text_recipes.{name}"].set_member("__init__", recipe["__init__"])


def literal(default, module: str):
    """Returns a default as a value where it is the name of a constant."""
    name = str(default)
    if not name.isidentifier() or name in ("None", "True", "False"):
        return default
    value = getattr(importlib.import_module(module), name, None)
    return repr(value) if isinstance(value, str | int | float | tuple) else default


def rewritten(text: str) -> str:
    """Returns a docstring whose arguments and returns are lists in the words of the docstring alone."""
    text = _ADDRESS.sub(r"<\g<0>>", text.replace("\nReference: ", "\n**Reference:** "))
    text = re.sub('page\\s+"Fields\\s+of\\s+recipes"', "page [Fields of recipes](recipes.md)", text)
    text = _ARGUMENTS.sub(_as_list, text)
    text = _RETURNS.sub(lambda found: f"**Returns:**\n\n- {_indented(textwrap.dedent(found[1]))}\n\n", text)
    return re.sub(r"^Example:\n+((?:.+\n?|\n(?=    |>>>))+)", _as_examples, text, flags=re.MULTILINE)


def _as_examples(found):
    code = textwrap.dedent(found[1]).rstrip()
    return f"Examples:\n{textwrap.indent(code, '    ')}\n"


def _as_list(found):
    title = {"Args": "Arguments"}.get(found[1], found[1])
    items = re.split(r"^(?=\S)", textwrap.dedent(found[2]), flags=re.MULTILINE)
    parts = (item.partition(":") for item in items if item.strip())
    return (
        f"**{title}:**\n\n"
        + "".join(f"- **`{name}`** – {_indented(rest)}\n" for name, _, rest in parts)
        + "\n"
    )


def _indented(text):
    """The text of an item of a list: the lines behind the first are indented by four."""
    first, _, rest = text.strip().partition("\n")
    return f"{first}\n{textwrap.indent(textwrap.dedent(rest), '    ')}".rstrip()
