"""HTML pages: the document around them, and the tables, cards and figures in them."""

from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
body { max-width: 44rem; margin: 0 auto; padding: 1rem; background: #fff; color: #1a1a1a;
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0.5rem 0; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 0.5rem; border-bottom: 1px solid #ddd; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: 0.5rem; }
dl div { background: #f2f5f8; border-radius: 0.4rem; padding: 0.5rem 0.75rem; }
dt { font-size: 0.85rem; color: #444; }
dd { font-size: 1.15rem; font-weight: 600; margin: 0; }
figure { margin: 1rem 0; }
img { display: block; width: 100%; height: auto; }
figcaption, .note { font-size: 0.9rem; color: #444; }
summary { cursor: pointer; padding: 0.3rem 0; }
.scroll { overflow-x: auto;
  background: linear-gradient(to right, #fff 40%, #fff0) left / 2rem 100% no-repeat local,
  linear-gradient(to left, #fff 40%, #fff0) right / 2rem 100% no-repeat local,
  linear-gradient(to right, #0003, #0000) left / 0.6rem 100% no-repeat,
  linear-gradient(to left, #0003, #0000) right / 0.6rem 100% no-repeat; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.4rem; border-bottom: 1px solid #e3e3e3; text-align: right; white-space: nowrap; }
th { font-weight: 600; }
td.name, th.name { text-align: left; min-width: 4.5rem; max-width: 16rem; white-space: normal; }
"""


def frame(title: str, head: str, body: str) -> str:
    """Returns a document; `head`, such as a style sheet, and `body` are HTML."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def document(title: str, parts: Iterable[str]) -> str:
    """Returns a report page: its title as heading, then its parts in HTML; empty parts are left out."""
    body = "\n".join(filter(None, [f"<h1>{text(title)}</h1>", *parts]))
    return frame(title, f"<style>{STYLE}</style>", body)


def cards(numbers: dict[str, str]) -> str:
    """Returns the summary at the top of a page, of names and numbers as text."""
    inner = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in numbers.items())
    return f"<dl>{inner}</dl>"


def section(title: str, content: str) -> str:
    """Returns a heading and HTML."""
    return f"<section>\n<h2>{title}</h2>\n{content}\n</section>"


def figure_section(name: str, title: str, caption: str, alternative: str) -> str:
    """Returns a section with the picture `name.png`, its caption and its text for screen readers."""
    return section(
        title,
        f'<figure>\n<a href="{name}.png"><img src="{name}.png" alt="{alternative}"></a>\n'
        f"<figcaption>{caption}</figcaption>\n</figure>",
    )


def recipe_section(recipe: dict) -> str:
    """Returns a section with the fields of a recipe; those that are None, for the default, are folded."""
    given = [(field, value) for field, value in recipe.items() if value is not None]
    others = ", ".join(text(field) for field, value in recipe.items() if value is None)
    rest = f"\n<details><summary>Fields by default</summary><p>{others}</p></details>" if others else ""
    return section("Recipe", table([("Field", "Value"), *given], (0, 1)) + rest)


def table(rows: list[Sequence], name_columns: Sequence[int] = ()) -> str:
    """Returns a table, the header first; the columns in `name_columns` contain words instead of numbers."""
    lines = []
    for tag, row in zip(["th"] + ["td"] * len(rows), rows, strict=False):
        kinds = [' class="name"' if column in name_columns else "" for column in range(len(row))]
        cells = (f"<{tag}{kind}>{text(cell)}</{tag}>" for kind, cell in zip(kinds, row, strict=True))
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return '<div class="scroll"><table>\n' + "\n".join(lines) + "\n</table></div>"


def text(value):
    """Returns a value as escaped HTML text of one line."""
    return escape(clean(value))


def clean(value):
    """Returns a value as one line of valid Unicode, which the name of a folder may not be."""
    line = str(value).encode("utf-8", "replace").decode("utf-8")
    return " ".join("".join(c if c.isprintable() else " " for c in line).split())


def duration(seconds: float) -> str:
    """Returns a duration as text, such as `"3 min 20 s"`."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"
