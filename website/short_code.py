"""Lets mkdocs mark what the style sheet keeps on one line: short code, and options of commands."""

import re

_SHORT = re.compile(r"<code>([^<\n]{1,26})</code>")  # fits a phone of 360 pixels
_COMMANDS = re.compile(r'<div class="language-bash highlight">.*?</div>', re.DOTALL)
_OPTION = re.compile(r"--[a-z][a-z-]*")


def on_page_content(html, **_):
    """Returns the content of a page with a class for what is short."""
    html = _SHORT.sub(r'<code class="short">\1</code>', html)
    return _COMMANDS.sub(lambda block: _OPTION.sub(r'<span class="short">\g<0></span>', block[0]), html)
