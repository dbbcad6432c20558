"""Lets griffe read this project's docstrings: `Example`, `Call arguments`, `Reference`."""

import re
import textwrap

import griffe

_CALL = re.compile(r"^Call arguments:\n((?:    .*\n?)+)", re.MULTILINE)


class Docstrings(griffe.Extension):
    """Rewrites each docstring before it is parsed."""

    def on_instance(self, *, obj, **_):
        if obj.docstring and not obj.is_alias:
            obj.docstring.value = rewritten(obj.docstring.value)


def rewritten(text: str) -> str:
    """Returns a docstring with griffe's `Examples` in place of `Example`, and calls' arguments as a list."""
    text = re.sub(r"^Reference: ", "**Reference:** ", text, flags=re.MULTILINE)
    text = _CALL.sub(lambda found: f"**Call arguments:**\n\n{_as_list(found[1])}\n", text)
    return re.sub(r"^Example:\n+((?:.+\n?|\n(?=    |>>>))+)", _as_examples, text, flags=re.MULTILINE)


def _as_examples(found):
    code = textwrap.dedent(found[1]).rstrip()
    return f"Examples:\n{textwrap.indent(code, '    ')}\n"


def _as_list(block):
    items = re.split(r"^(?=\S)", textwrap.dedent(block), flags=re.MULTILINE)
    return "".join(
        f"- **`{name}`** – {' '.join(rest.split())}\n"
        for name, _, rest in (item.partition(":") for item in items if item.strip())
    )
