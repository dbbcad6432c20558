"""Pages of the site that are made from code and files: names, commands, notebooks, reproductions."""

import argparse
import ast
import base64
import importlib
import inspect
import json
import re
from pathlib import Path
from textwrap import dedent

from recipe_fields import recipe_fields

PACKAGES = {
    "layers": "Each layer is usable alone in any Keras model, on TensorFlow, JAX and torch. `**options` are "
    "those of any Keras layer, such as `name`, `dtype` and `trainable`, and what is said there.",
    "models": "Builders of whole models. All return logits; images are given as pixels from 0 to 255.",
    "pretrained": "Public weights of timm, Hugging Face and Google, without torch.",
    "training": "Recipes, data, runs, searches, generated text and answers.",
    "export": "Verified files for the phone, the server and the browser.",
}
NEXT = {
    "first_steps": "[Quick start](../quickstart.md) does the same with your photographs.",
    "photographs_to_the_phone": "The app: [A file in an app](../guides/mobile.md).",
    "own_model_to_a_verified_file": "All options of an export: [Your own model](../guides/own_model.md).",
    "search_with_a_limit": "More limits and tuners: [Searches](../guides/search.md).",
    "names": "Other texts, and pairs of texts: [Text](../guides/text.md).",
}
COMMANDS = re.compile(r"(?:^ *(?:python|keras-vit|pip) .+\n?)+", re.MULTILINE)
LESS_FOUND = "---\nsearch:\n  boost: 0.3\n---\n\n"  # behind guides, in the answers to a search


def write_pages(folder: Path, root: Path):
    """Writes the generated pages of a checkout into a folder of pages."""
    pages = {f"reference/{name}.md": reference(name).encode() for name in PACKAGES}
    pages["reference/commands.md"] = commands().encode()
    pages["reference/recipes.md"] = recipe_fields().encode()
    pages["programs.md"] = programs(root / "examples").encode()
    for notebook in sorted((root / "notebooks").glob("*.ipynb")):
        text, pictures = notebook_page(notebook)
        pages[f"notebooks/{notebook.stem}.md"] = text.encode()
        pages |= {f"notebooks/{name}": picture for name, picture in pictures.items()}
    place = "reproductions/index.md"  # instead of the page that the command writes, and at its address
    pages[place] = reproductions(folder / "reproductions").encode()
    for page in folder.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        text = text.replace("reproductions/index.html", place)
        page.write_text(LESS_FOUND * (page.parent.name == "results") + text, encoding="utf-8")
    for place, content in pages.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(content)


def reference(package: str) -> str:
    """Returns a page with the docstring of each public name of a package."""
    module = importlib.import_module(f"keras_vit.{package}")
    parts = [f"# keras_vit.{package}", PACKAGES[package]]
    places = {name: identifier(module, name) for name in sorted(module.__all__, key=str.lower)}
    firsts = {name: inspect.getdoc(getattr(module, name)).partition("\n")[0] for name in places}
    parts.append(table("name", {f"[`{name}`](#{places[name]})": first for name, first in firsts.items()}))
    parts += [f"::: {place}" for place in places.values()]
    return "\n\n".join(parts) + "\n"


def table(title: str, rows: dict[str, str]) -> str:
    """Returns a table of names and what each does."""
    lines = [f"| {title} | what |", "| --- | --- |", *(f"| {name} | {what} |" for name, what in rows.items())]
    return "\n".join(lines)


def identifier(package, name: str) -> str:
    """Returns the name by which griffe finds a public object: in `vit.vit` it is not the module `vit`."""
    place = getattr(package, name).__module__
    alone = f"{package.__name__}.{name}"
    return f"{place}.{name}" if place == alone else alone


def commands() -> str:
    """Returns a page with the arguments of each command, as its parser has them."""
    from keras_vit.__main__ import make_parser

    parser = make_parser()
    (subparsers,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    known = subparsers.choices
    parts = [
        "# The command keras-vit",
        "All commands, each with an example and its arguments, as in `keras-vit COMMAND --help`. The "
        "[quick start](../quickstart.md) uses them in their order.",
        table("command", {f"[`{name}`](#{name})": command.description for name, command in known.items()}),
        "Long work shows its progress and the time left, also where the output is not a terminal. "
        "A download is announced, with the place that it is kept in.",
        "Exit codes: 0 done; 1 a stated condition was not met, such as a verification; 2 wrong use or input. "
        "As usual in shells, 130 stands for Ctrl-C, 143 for SIGTERM and 141 for a closed pipe.",
    ]
    for name, command in known.items():
        parts += [f"## {name}", command.description, f"```bash\n{example(command)}\n```", arguments(command)]
    return "\n\n".join(parts) + "\n"


def programs(folder: Path) -> str:
    """Returns a page with the programs in a folder, each under its name and behind its docstring."""
    parts = [
        "# Programs",
        "Whole programs to start from, in the folder `examples` of the repository. A test runs each. The "
        "[first four](guides/own_model.md) export models of plain Keras, [`own_search.py`](guides/search.md) "
        "searches for one, [`stream_text.py`](guides/characters.md) reads an exported file without Keras.",
    ]
    for path in sorted(folder.glob("*.py")):
        source = path.read_text(encoding="utf-8")
        about, code = ast.get_docstring(ast.parse(source)), source.split('"""', 2)[2].strip()
        about = COMMANDS.sub(lambda lines: f"```bash\n{dedent(lines[0]).strip()}\n```\n", about)
        parts.append(f"## {path.name}\n\n{about}\n\n```python\n{code}\n```")
    return "\n\n".join(parts) + "\n"


def reproductions(folder: Path) -> str:
    """Returns a page with the results of all experiments in a folder, as `keras-vit reproduce` wrote them."""
    from keras_vit.training.experiments import experiment_names, find_experiment

    parts = [
        "# Reproductions",
        "Experiments of five reports, run again, with our figures next to theirs. "
        "[Results](../results/index.md) has the most important ones.",
        (folder / "about.txt").read_text(encoding="utf-8").strip(),
    ]
    left = experiment_names()
    for path in sorted(folder.glob("*/results.json")):
        results = json.loads(path.read_text(encoding="utf-8"))
        left.remove(results["name"])
        lines = (path.parent / "table.md").read_text(encoding="utf-8").splitlines()
        rows = "\n".join(line for line in lines if line.startswith("|"))
        gap = "" if results["complete"] else "\n\nNot all of it was run."
        command = f"```bash\nkeras-vit reproduce {results['name']}\n```"
        parts += [f"## {results['title']}", command, results["assumptions"] + gap, rows]
        for picture in results["pictures"]:
            about = picture["caption"].removesuffix(".")
            parts.append(f'{about}:\n\n![{about}]({path.parent.name}/{picture["file"]}){{ width="480" }}')
    if left:
        titles = {f"`keras-vit reproduce {name}`": find_experiment(name).EXPERIMENT.title for name in left}
        parts += ["## Not run yet", table("command", titles)]
    return "\n\n".join(parts) + "\n"


def example(command):
    return command.epilog.removeprefix("example: ")


def arguments(command):
    lines = []
    for action in command._actions:
        if action.help == argparse.SUPPRESS or "--help" in action.option_strings:
            continue
        words = command._get_formatter()._expand_help(action) if action.help else ""
        lines.append(f"`{invocation(action)}`\n:   {escaped(words) or '&nbsp;'}")
    return "\n\n".join(lines)


def invocation(action):
    """The words of an argument, as `--json FILE` or `--class-folders first|last`."""
    value = "|".join(map(str, action.choices or [])) or action.metavar
    if not action.option_strings:
        return value or action.dest
    name = ", ".join(action.option_strings)
    return name if action.nargs == 0 else f"{name} {value or action.dest.upper()}"


def escaped(words):
    return re.sub(r"([*_<>\[\]])", r"\\\1", words)


def notebook_page(path: Path) -> tuple[str, dict[str, bytes]]:
    """Returns a notebook as Markdown, and the pictures of its outputs by the names that it uses."""
    parts, pictures = [], {}
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        language = "bash" if source.startswith("!") else "python"
        parts.append(f"```{language}\n{source}\n```")
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "image/png" in data:
                name = f"{path.stem}_{number}.png"
                pictures[name] = base64.b64decode("".join(data["image/png"]))
                parts.append(f"![output of the cell above]({name})")
            elif text := "".join(output.get("text", data.get("text/plain", ""))).strip():
                if parts[-1].startswith("```text"):
                    text = f"{parts.pop()[8:-4]}\n{text}"
                parts.append(f"```text\n{text}\n```")
    parts.append(f"This page is the notebook `notebooks/{path.name}`, with its outputs. {NEXT[path.stem]}")
    return "\n\n".join(parts) + "\n", pictures
