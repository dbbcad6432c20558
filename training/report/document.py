"""The parts that pages of reports are made of."""

from html import escape

from keras_vit.training.report.names import clean

STYLE = """
body { max-width: 44rem; margin: 0 auto; padding: 1rem; background: #fff; color: #1a1a1a;
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0.5rem 0; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 0.5rem; border-bottom: 1px solid #ddd; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: 0.5rem; }
dl div { background: #f2f5f8; border-radius: 0.4rem; padding: 0.5rem 0.75rem; }
dt { font-size: 0.85rem; color: #444; }
dd { font-size: 1.15rem; font-weight: 600; margin: 0; }
figure { margin: 0; }
img { display: block; width: 100%; height: auto; }
figcaption, .note { font-size: 0.9rem; color: #444; }
summary { cursor: pointer; padding: 0.3rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.4rem; border-bottom: 1px solid #e3e3e3; text-align: right; white-space: nowrap; }
th { font-weight: 600; }
td.name, th.name { text-align: left; min-width: 4.5rem; max-width: 16rem; white-space: normal; }
"""


def document(title, parts):
    """Returns a page of HTML with that title, plain text, and those parts; empty ones are left out."""
    title = text(title)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(filter(None, [f"<h1>{title}</h1>", *parts]))
        + "\n</body>\n</html>\n"
    )


def cards(numbers):
    """Returns the figures that stand at the head of a page, a dict of name to text."""
    inner = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in numbers.items())
    return f"<dl>{inner}</dl>"


def figure_section(name, title, caption, alternative):
    """Returns a section with the picture `name.png`."""
    return (
        f'<section>\n<h2>{title}</h2>\n<figure>\n<a href="{name}.png">'
        f'<img src="{name}.png" alt="{alternative}"></a>\n<figcaption>{caption}</figcaption>\n'
        "</figure>\n</section>"
    )


def recipe_section(recipe):
    """Returns a section with the fields of a recipe, a dict."""
    rows = [(field, "default" if value is None else value) for field, value in recipe.items()]
    return f"<section>\n<h2>Recipe</h2>\n{table([('Field', 'Value'), *rows], (0, 1))}\n</section>"


def table(rows, name_columns=()):
    """Returns a table of which the first row is the head, and some columns hold words."""
    lines = []
    for tag, row in zip(["th"] + ["td"] * len(rows), rows, strict=False):
        kinds = [' class="name"' if column in name_columns else "" for column in range(len(row))]
        cells = (f"<{tag}{kind}>{text(cell)}</{tag}>" for kind, cell in zip(kinds, row, strict=True))
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return '<div class="scroll"><table>\n' + "\n".join(lines) + "\n</table></div>"


def text(value):
    """Returns a value as HTML shows it."""
    return escape(clean(value))


def duration(seconds):
    """Returns a duration in words, such as `"3 min 20 s"`."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"
