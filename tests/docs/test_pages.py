"""The pages of documentation: their programs run, what they quote exists, and the site is built."""

import contextlib
import dataclasses
import importlib
import importlib.util
import inspect
import os
import re
import shlex
import subprocess
import sys

import pytest
from documentation_pages import ROOT, blocks, run, workspace

from keras_vit.__main__ import make_parser
from keras_vit.constraints import parse_value
from keras_vit.training import ImageRecipe, PairRecipe, TextRecipe

DOCS = ROOT / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if blocks(page) and page.parent.name != "results")
QUICK = {"layers", "concepts"}  # the others are marked slow
# What makes a command of a page take seconds instead of minutes.
SMALLER = {
    "export runs/age": "--max-drop 100 --variant dynamic_int8",
    "train vit_photos data=table:scans.csv": "--folds 2 epochs=1 variant=Pico/16 image_size=32",
    "train vit_photos": "epochs=1 variant=Pico/16 image_size=32",
    "train char_names_gru": "epochs=1 num_layers=1 hidden_dim=32",
    "train seq2seq_dates": "epochs=1 num_pairs=300 cell=simple hidden_dim=8",
    "export runs/dates": "--max-drop 100 --variant dynamic_int8",
    "train vit_digits epochs=3": "variant=Pico/2",
    "tune vit_photos data=": "--trials 1 --max-latency-ms 1000 epochs=1 image_size=48 patch_size=16 "
    "hidden_dim=64 stem=linear num_layers=2 mlp_dim=128 randaugment_layers=0 batch_size=32",
    "tune vit_photos model=": "--trials 1 --seeds 1 epochs=1 image_size=32 width=8,16 depth=2",
    "tune my_search.py": "--trials 1 --seeds 0 epochs=1",
    "tune vit_digits": "--trials 1 --seeds 1 epochs=1 num_layers=1 hidden_dim=16",
    "export runs/photos --variant auto": "--max-drop 100",
    "train cnn_digits": "epochs=1",
    "train vit_digits distill": "epochs=1 num_layers=1",
    "train vit_digits stem=linear": "epochs=1 num_layers=1",
    "export runs/flexible": "--max-drop 100",
    "frontier": "--max-drop 100",
    "export runs/photos --max-drop": "--max-drop 100 --variant dynamic_int8 --variant fp32",
}
PACKAGES = ("layers", "models", "pretrained", "training", "export")


def page_name(page):
    return page.relative_to(DOCS).with_suffix("").as_posix()


def test_all_guides_are_run():
    assert {page_name(page) for page in PAGES} >= {
        "quickstart",
        "concepts",
        "coming_from",
        "guides/own_model",
    }


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=page_name(page), marks=[] if page.stem in QUICK else pytest.mark.slow)
        for page in PAGES
    ],
)
def test_the_programs_of_a_page_run_in_their_order(page, tmp_path, capsys):
    scope = {}
    with workspace(tmp_path):
        for block in blocks(page):
            run(block, scope, SMALLER)


def test_the_commands_of_all_pages_are_understood():
    parser = make_parser()
    lines = []
    for page in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        for block in blocks(page):
            lines += block.code.replace("\\\n", " ").splitlines() if block.language == "bash" else []
    commands = [re.split(" &&| >", line)[0] for line in lines if line.startswith("keras-vit ")]
    assert len(commands) > 70
    for command in commands:
        _, *words = shlex.split(command, comments=True)
        with pytest.raises(SystemExit, match="^0$") if "--help" in words else contextlib.nullcontext():
            parser.parse_args(words)


def test_the_fields_that_guides_name_are_those_of_recipes():
    kinds = [recipe.types(*recipe.builders) for recipe in (ImageRecipe, TextRecipe, PairRecipe)]
    spans = []
    for page in ("data", "labels", "pretrained", "training"):
        text = re.sub(r"```.*?```", "", (DOCS / "guides" / f"{page}.md").read_text("utf-8"), flags=re.DOTALL)
        spans += re.findall(r"`([a-z_]+=[^`\s]+(?: [a-z_]+=[^`\s]+)*)`", text)
    assert len(spans) > 40
    for name, _, value in (word.partition("=") for span in spans for word in span.split()):
        (known, *_) = [kind[name] for kind in kinds if name in kind]
        parse_value(name, value, known)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_has_an_example_that_is_run_as_a_doctest(package):
    module = importlib.import_module(f"keras_vit.{package}")
    for name in module.__all__:
        docstring = inspect.getdoc(getattr(module, name)) or ""
        assert ">>>" in docstring and "+SKIP" not in docstring, name


def test_the_messages_that_troubleshooting_quotes_are_those_of_the_code():
    sources = [*(ROOT / "keras_vit").glob("*.py")]
    for folder in ("training", "export", "keras_vit/commands", "keras_vit/io", "keras_vit/pretrained"):
        sources += (ROOT / folder).rglob("*.py")
    code = "".join(path.read_text(encoding="utf-8") for path in sources)
    code = re.sub(r"\"\s*\n\s*f?\"", "", code)  # a message goes over several lines
    page = (DOCS / "guides" / "troubleshooting.md").read_text(encoding="utf-8")
    quoted = re.findall(r"^\| `(.+?)`[^|]* \|", page, re.MULTILINE)
    assert len(quoted) > 15
    for message in quoted:
        for part in re.split(r"\.\.\.|\"", message):
            part = part.removesuffix("nan.").strip(" .:'?")
            assert len(part) < 4 or part in code or "module 'keras_vit'" in message, message


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason='pip install ".[docs]"')
def test_the_site_is_built_without_a_warning():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, ROOT / "website" / "build.py"], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    site = ROOT / "build" / "site"
    for page in set(DOCS.rglob("*.md")) - set((DOCS / "reproductions").rglob("*.md")):
        place = page.relative_to(DOCS).with_suffix("")
        assert (site / (place.parent if place.name == "index" else place) / "index.html").is_file(), page
    for package in PACKAGES:
        page = (site / "reference" / package / "index.html").read_text(encoding="utf-8")
        names = importlib.import_module(f"keras_vit.{package}").__all__
        described = dict(re.findall(r'<h2 id="keras_vit\.[\w.]*?(\w+)"(.*?)(?=<h2 |$)', page, re.DOTALL))
        assert sorted(described) == sorted(names)
        for name, text in described.items():  # not that of a module with the same name
            assert "&gt;&gt;&gt;" in text, name
            assert not name.endswith("Recipe") or f"{name}(**fields)" in re.sub(r"<[^>]+>", "", text)
    for page in site.rglob("index.html"):
        text = page.read_text(encoding="utf-8")
        assert "| ---" not in text, f"{page}: a table that is shown as text"
        assert text.count("<code") == text.count("</code>"), f"{page}: code without an end"
    assert 'href="/">home page' in (site / "404.html").read_text(encoding="utf-8")
    layers = (site / "reference" / "layers" / "index.html").read_text(encoding="utf-8")
    assert re.search(r'<td><a href="#keras_vit[\w.]*\.MLP"><code class="short">MLP</code></a></td>', layers)
    assert (
        '<span class="short">5.7e-07</span>'
        in (site / "results" / "pretrained_parity" / "index.html").read_text()
    )
    experiments = (site / "reproductions" / "index.html").read_text(encoding="utf-8")
    assert 'class="md-header' in experiments and "not run</td>" in experiments
    assert re.search(r'<a href="[^"]+\.png"><img [^>]*src="[^"]+\.png"', experiments)
    fields = (site / "reference" / "recipes" / "index.html").read_text(encoding="utf-8").replace("<wbr>", "")
    described = dict(re.findall(r"<dt><code.*?>(\w+)=.*?</dt>\s*<dd>(.*?)</dd>", fields, re.DOTALL))
    for recipe in (ImageRecipe, TextRecipe, PairRecipe):
        assert {field.name for field in dataclasses.fields(recipe)} - {"model_options"} <= set(described)
    for name, text in described.items():
        assert ". " in text, f"{name}: not what it means, only its type"
    commands = (site / "reference" / "commands" / "index.html").read_text(encoding="utf-8")
    assert "--max-drop" in commands and "--class-folders first|last" in commands
