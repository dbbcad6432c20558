"""Lets mkdocs mark what stays on one line and where long code may be broken; pictures open in full size."""

import re

_SHORT = re.compile(r"<code>([^<\n]{1,26})</code>")  # fits a phone of 360 pixels
_LONG = re.compile(r"(?<=<code>)[^<]{27,}(?=</code>)")
_COMMANDS = re.compile(r'<div class="language-bash highlight">.*?</div>', re.DOTALL)
_OPTION = re.compile(r"--[a-z][a-z-]*")
_PLACES = re.compile(r"[=/_|](?=\w)")  # behind which a name is broken rather than elsewhere
_PERCENT = re.compile(r"(?<=\d) (?=%)")
_POWER = re.compile(r"\b\d\.\de-\d\d\b")  # a number such as 6.2e-07, which has a hyphen
_PICTURE = re.compile(r'<img [^>]*src="([^"]+)"[^>]*>')
_TABLE = re.compile(r"<table>.*?</table>", re.DOTALL)
_CELL = re.compile(r"<td([^>]*)>(.*?)</td>", re.DOTALL)
_BLOCK = re.compile(r"(<pre>.*?</pre>)", re.DOTALL)
_ARTICLE = re.compile(r"<article.*</article>", re.DOTALL)


def on_post_page(output, **_):
    """Returns a page, which the search has read before, with marks in its article."""
    return _ARTICLE.sub(lambda found: marked(found[0]), output)


def marked(html):
    """Returns HTML with a class for what is short; percentages keep their sign, pictures are links."""
    html = _COMMANDS.sub(lambda found: _options(found[0]), _SHORT.sub(r'<code class="short">\1</code>', html))
    parts = _BLOCK.split(html)  # every second one is a block, which is copied as it is
    return "".join(part if number % 2 else _prose(part) for number, part in enumerate(parts))


def _prose(html):
    html = _LONG.sub(lambda found: _options(_PLACES.sub(r"\g<0><wbr>", found[0])), html)
    html = _POWER.sub(r'<span class="short">\g<0></span>', html)
    html = _PICTURE.sub(r'<a href="\1">\g<0></a>', html)
    html = _TABLE.sub(lambda found: _wide(found[0]), html)
    return _PERCENT.sub("&nbsp;", html)


def _wide(table):
    """A table; in one that scrolls on a phone, cells of many words are not columns of single words."""
    if len(re.findall("<th[ >]", table)) < 4:
        return table
    return _CELL.sub(lambda cell: f"<td{cell[1]}{_words(cell[2])}>{cell[2]}</td>", table)


def _words(content):
    return ' class="words"' if len(re.sub(r"<[^>]+>", "", content)) > 60 else ""


def _options(html):
    return _OPTION.sub(r'<span class="short">\g<0></span>', html)
