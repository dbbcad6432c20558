"""The page of the fields of recipes: types, limits, defaults and comments, as they stand in the classes."""

import ast
import inspect
import io
import re
import textwrap
import tokenize
import types
import typing

INTRODUCTION = """\
# Fields of recipes

`keras-vit train RECIPE field=value ...` and `ImageRecipe(field=value, ...)` take these fields, and every
argument of the model's [builder](models.md), such as `hidden_dim=96` of `vit`. `none` leaves a choice to the
model, its variant or the data. What does not fit, or has no effect, is refused in one line. A recipe that
comes with the package has other defaults for some fields: `recipe.json` in the run folder has all of them.
"""
_TYPE = re.compile(
    r"^(?:bool|int|float|floats)(?: in \[.*?\]| from 1 to 100 or None)?[,;] "
)  # stated with its limits
UNLIMITED = 1e6  # limits from here on are none for people
_ENTRY = re.compile(r"^([a-z_]+(?:, [a-z_]+)*): (.+(?:\n +.+)*)", re.MULTILINE)


def recipe_fields() -> str:
    """Returns the page."""
    from keras_vit.training import ImageRecipe, PairRecipe, TextRecipe
    from keras_vit.training.augmentation import Augmentation
    from keras_vit.training.common_recipe import Recipe

    parts, of_all = [INTRODUCTION], {}
    for title, owner, bases in (
        ("All recipes", Recipe, ()),
        ("ImageRecipe", ImageRecipe, (Recipe,)),
        ("Augmentation of images", Augmentation, ()),
        ("TextRecipe", TextRecipe, (Recipe,)),
        ("PairRecipe", PairRecipe, (Recipe,)),
    ):
        parts += [f"## {title}", *_fields(owner, {**of_all} if bases else of_all)]
        if bases:
            parts.append("And the fields of all recipes.")
    return "\n\n".join(parts) + "\n"


def _fields(owner, said):
    """Yields the parts of the page on the fields of a class: section headings, and an entry for each field.

    `said` are the descriptions so far, which also hold for a field that a class limits further.
    """
    source = textwrap.dedent(inspect.getsource(owner))
    comments, headings = _comments(source)
    words = _of_docstring(owner)
    hints, heading = typing.get_type_hints(owner, include_extras=True), None
    for node in ast.parse(source).body[0].body:
        if not isinstance(node, ast.AnnAssign) or node.target.id.startswith("_"):
            continue
        name, first = node.target.id, node.lineno
        if "ClassVar" in ast.unparse(node.annotation) or name == "model_options":
            continue
        heading = headings.get(first - 1, heading)
        default = getattr(owner, name)
        if default == "":  # each kind of recipe has its own
            continue
        if heading:
            yield f"### {heading}"
            heading = None
        lines = [comments[line] for line in range(first, node.end_lineno + 1) if line in comments]
        said[name] = words.get(name) or "; ".join(lines) or said.get(name, "")
        sentences = [f"{_capital(text)}." for text in (said[name], _limits(hints[name])) if text]
        yield f"`{name}={_as_text(default)}`\n:   {_escaped(' '.join(sentences))}"


def _comments(source):
    """The comments behind code by line, and those that stand alone in the body of the class."""
    behind, alone = {}, {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            text = token.string.lstrip("# ").removesuffix("fmt: skip").strip()
            stands_alone = not token.line[: token.start[1]].strip()
            (alone if stands_alone else behind)[token.start[0]] = text
    return behind, alone


def _of_docstring(owner):
    """What the docstring says of each attribute."""
    _, _, attributes = inspect.getdoc(owner).partition("Attributes:\n")
    found = {}
    for names, text in _ENTRY.findall(textwrap.dedent(attributes.partition("\n\n")[0])):
        found |= dict.fromkeys(names.split(", "), " ".join(text.split()).removesuffix("."))
    return {name: _TYPE.sub("", text) for name, text in found.items()}


def _limits(annotation):
    """The type and the limits of an annotation in words."""
    from keras_vit.constraints import Choices, OnlyWith, Range
    from keras_vit.training.own_parts import ChoicesOrOwn

    limits = []
    while typing.get_origin(annotation) is typing.Annotated:
        annotation, *more = typing.get_args(annotation)
        limits = [*more, *limits]
    is_union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    members = typing.get_args(annotation) if is_union else (annotation,)
    words = [" or ".join(_kind(kind) for kind in members if kind is not type(None))]
    for limit in limits:
        if isinstance(limit, Choices):
            more = ", or `module:name`" if isinstance(limit, ChoicesOrOwn) else ""
            words = ["one of " + ", ".join(f"`{_as_text(value)}`" for value in limit.values) + more]
        elif isinstance(limit, Range):
            words.append(str(limit) if limit.high < UNLIMITED else f"of at least {limit.low:,}")
    needs = [limit.wanted.replace(" or ", "` or `") for limit in limits if isinstance(limit, OnlyWith)]
    condition = "only with " + " and ".join(f"`{wanted}`" for wanted in needs)
    return "; ".join([" ".join(words), *([condition] if needs else [])])


def _capital(text):
    """A text with a capital, unless it begins with something to write, such as `module:name`."""
    return text if re.match(r"\w+[:/]\w", text) else text[:1].upper() + text[1:]


def _kind(kind):
    if typing.get_origin(kind) is tuple:
        return f"values, each {_limits(typing.get_args(kind)[0])}, separated by commas"
    if typing.get_origin(kind) is typing.Annotated:
        return _limits(kind)
    return {int: "integer", float: "number", str: "text", bool: "`true` or `false`"}[kind]


def _as_text(value):
    from keras_vit.constraints import as_text

    return ",".join(map(str, value)) if isinstance(value, tuple) else as_text(value)


def _escaped(text):
    """Markdown of a text, in which code stays as it is."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"([*_<>\[\]])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)
