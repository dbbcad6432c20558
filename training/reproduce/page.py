"""The page that shows all reproductions in a folder."""

import re
from html import escape
from pathlib import Path

from keras_vit.io.files import read_text, write_text
from keras_vit.io.html_page import document, section, table
from keras_vit.io.json_files import read_json
from keras_vit.training.experiments import experiment_names, find_experiment
from keras_vit.training.reproduce.results import QUICK


def write_pages(folder: str | Path):
    """Writes `index.html`, with each experiment's table, assumptions and plots, and what was not run.

    The folder contains a folder with `results.json` for each experiment. The paragraphs of a file `about.txt`
    in it are shown at the top of the page.
    """
    folder = Path(folder)
    found = [(path.parent, read_json(path)) for path in sorted(folder.glob("*/results.json"))]
    about = folder / "about.txt"
    paragraphs = read_text(about).strip().split("\n\n") if about.exists() else []
    parts = [
        "<p>Experiments of five reports, run again; our figures next to theirs. What did not run to its end "
        "is marked.</p>",
        *(f"<p>{escape(' '.join(paragraph.split()))}</p>" for paragraph in paragraphs),
        *(_section(place, results) for place, results in found),
        *_not_run({results["name"] for _, results in found if not results["quick"]}),
    ]
    write_text(folder / "index.html", document("Reproductions", parts))


def _section(place, results):
    lines = (place / "table.md").read_text(encoding="utf-8").splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("|") and "---" not in line]
    notes = [QUICK] if results["quick"] else []
    if not results["complete"]:
        notes.append("Not all of it was run.")
    if results["assumptions"]:
        notes.append(results["assumptions"])
    pictures = "\n".join(
        f'<figure><img src="{place.name}/{picture["file"]}" alt="{escape(picture["caption"])}">'
        f"<figcaption>{escape(picture['caption'])}</figcaption></figure>"
        for picture in results["pictures"]
    )
    return (
        f'<section id="{place.name}">\n<h2>{escape(results["title"])}</h2>\n'
        f'<p class="note"><code>keras-vit reproduce {escape(results["name"])}</code>. '
        f"{_with_code(escape(' '.join(notes)))}</p>\n{table(rows, name_columns=(0,))}\n{pictures}\n</section>"
    )


def _with_code(html):
    return re.sub(r"`(.+?)`", r"<code>\1</code>", html)


def _not_run(run):
    left = [name for name in experiment_names() if name not in run]
    if not left:
        return []
    rows = [(find_experiment(name).EXPERIMENT.title, f"keras-vit reproduce {name}") for name in left]
    listed = table([("experiment", "command"), *rows], name_columns=(0, 1))
    return [section("Not run yet", listed)]
