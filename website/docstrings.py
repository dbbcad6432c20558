"""Lets griffe read this project's docstrings: `Example`, `Call arguments`, `Reference`."""

import re
import textwrap

import griffe

_CALL = re.compile(r"^Call arguments:\n((?:    .*\n?)+)", re.MULTILINE)
_RETURNS = re.compile(r"^Returns:\n((?:    .*\n?|\n(?=    ))+)", re.MULTILINE)
_TYPE = re.compile(r"[\w.\[\]|]+(?:(?:, | \| )[\w.\[\]|]+)*")  # what may stand before a colon as a type


class Docstrings(griffe.Extension):
    """Rewrites each docstring before it is parsed."""

    def on_instance(self, *, obj, **_):
        if obj.docstring and not obj.is_alias:
            obj.docstring.value = rewritten(obj.docstring.value)


def rewritten(text: str) -> str:
    """Returns a docstring with griffe's `Examples` in place of `Example`, and calls' arguments as a list."""
    text = re.sub(r"^Reference: ", "**Reference:** ", text, flags=re.MULTILINE)
    text = _CALL.sub(lambda found: f"**Call arguments:**\n\n{_as_list(found[1])}\n", text)
    text = _RETURNS.sub(_as_returned, text)
    return re.sub(r"^Example:\n+((?:.+\n?|\n(?=    |>>>))+)", _as_examples, text, flags=re.MULTILINE)


def _as_examples(found):
    code = textwrap.dedent(found[1]).rstrip()
    return f"Examples:\n{textwrap.indent(code, '    ')}\n"


def _as_returned(found):
    """Leaves a type and a colon to griffe, which would take the half of a sentence before a colon for one."""
    text = textwrap.dedent(found[1]).strip()
    kind, colon, _ = text.partition(":")
    if not colon or _TYPE.fullmatch(kind):
        return found[0]
    return f"**Returns:**\n\n- {textwrap.indent(text, '  ').strip()}\n\n"


def _as_list(block):
    items = re.split(r"^(?=\S)", textwrap.dedent(block), flags=re.MULTILINE)
    return "".join(
        f"- **`{name}`** – {' '.join(rest.split())}\n"
        for name, _, rest in (item.partition(":") for item in items if item.strip())
    )
