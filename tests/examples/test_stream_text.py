"""The example writes what the package writes, and needs nothing of it."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_vit.export.text.description import TextDescription
from keras_vit.export.text.readers import load_text_reader
from keras_vit.export.text.write import write_text_model
from keras_vit.models.char_rnn import char_rnn
from keras_vit.text import Vocabulary, generate

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "stream_text.py"
DOCUMENT = ROOT / "docs" / "guides" / "characters.md"
VOCABULARY = Vocabulary("\nabcdefg", unknown="unk")
COUNT = 4  # characters that `generate` writes at once here


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    keras.utils.set_random_seed(0)
    model = char_rnn("gru", vocabulary_size=len(VOCABULARY), hidden_dim=24, seed=0)
    random = np.random.default_rng(0)
    model.set_weights([w + random.normal(0, 0.4, w.shape) for w in model.get_weights()])
    path = tmp_path_factory.mktemp("text") / "model.tflite"
    write_text_model(model, TextDescription(VOCABULARY, window=7, lines=True), COUNT, "dynamic_int8", path)
    return path


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ([], {}),
        (["--seed", "3", "--prefix", "ab"], {"seed": 3, "prefix": "ab"}),
        (["--temperature", "0.6", "--top-k", "4"], {"temperature": 0.6, "top_k": 4}),
        (["--length", "3", "--seed", "1"], {"max_length": 3, "seed": 1}),
    ],
)
def test_a_seed_gives_the_text_of_the_package(words, options, file):
    (expected,) = generate(load_text_reader(file), VOCABULARY, 1, **options)
    result = subprocess.run([sys.executable, EXAMPLE, file, *words], capture_output=True, text=True)
    assert result.stdout == f"{expected}\n", result.stderr


def test_litert_and_numpy_suffice():
    tree = ast.parse(EXAMPLE.read_text())
    names = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names - set(sys.stdlib_module_names) == {"numpy", "ai_edge_litert.interpreter"}


def test_the_programs_of_the_documentation_write_what_the_package_writes(file, capsys):
    stream, write = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    stream, known = re.sub('FILE = ".*"', f"FILE = {str(file)!r}", stream), {}
    reader = load_text_reader(file)
    exec(stream, known)
    (expected,) = generate(reader, VOCABULARY, 1, temperature=0.8)
    assert capsys.readouterr().out == expected
    exec(write, known)
    options = {"temperature": 0.8, "top_k": 10, "max_length": COUNT, "stop": False}
    (expected,) = generate(reader, VOCABULARY, 1, **options)
    assert capsys.readouterr().out == f"{expected}\n"
