"""Pages of the site that are made from the code: every public name, every command, and the notebooks."""

import argparse
import base64
import importlib
import json
import re
from pathlib import Path

from recipe_fields import recipe_fields

PACKAGES = {
    "layers": "Each layer is usable alone in any Keras model, on TensorFlow, JAX and torch. `**options` are "
    "those of any Keras layer, such as `name`, `dtype` and `trainable`, and what is said there.",
    "models": "Builders of whole models. All return logits; images are given as pixels from 0 to 255.",
    "pretrained": "Public weights of timm, Hugging Face and Google, without torch.",
    "training": "Recipes, data, runs, searches, generated text and answers.",
    "export": "Verified files for the phone, the server and the browser.",
}


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
    for place, content in pages.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(content)


def reference(package: str) -> str:
    """Returns a page with the docstring of each public name of a package."""
    module = importlib.import_module(f"keras_vit.{package}")
    parts = [f"# keras_vit.{package}", PACKAGES[package]]
    parts += [f"::: {identifier(module, name)}" for name in sorted(module.__all__, key=str.lower)]
    return "\n\n".join(parts) + "\n"


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
    parts = [
        "# The command keras-vit",
        "What takes long shows how far it is and the time left, also where the output is no terminal. "
        "`--quiet` shows warnings and errors only, `--json FILE` writes the figures there. Downloads are "
        "announced, with their place.",
        "Exit codes: 0 done, 1 a stated condition was not met, such as a verification, 2 wrong use or input; "
        "as shells have it, 130 interrupted by Ctrl-C, 143 by SIGTERM, 141 where the reader of a pipe ended.",
    ]
    for name, command in subparsers.choices.items():
        parts += [f"## {name}", command.description, f"```bash\n{example(command)}\n```", arguments(command)]
    return "\n\n".join(parts) + "\n"


def programs(folder: Path) -> str:
    """Returns a page with the programs in a folder, each under its name."""
    parts = ["# Programs", "Whole programs, in the folder `examples` of the repository. A test runs each."]
    for path in sorted(folder.glob("*.py")):
        parts.append(f"## {path.name}\n\n```python\n{path.read_text(encoding='utf-8').strip()}\n```")
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
    parts.append(f"This page is the notebook `notebooks/{path.name}`, with its outputs.")
    return "\n\n".join(parts) + "\n", pictures
