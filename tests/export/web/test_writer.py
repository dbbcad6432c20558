"""The page draws characters as `keras_vit.text` does."""

import json
import shutil
import subprocess
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from keras_vit.text.sampling import draw, gumbel_noise, next_probabilities

FOLDER = Path(__file__).parents[3] / "export" / "web" / "page" / "text"
VOCABULARY = 9

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def in_node(script, job, tmp_path):
    """The output of a script, which can import `job` and the page's modules."""
    for name in ("noise.js", "writer.js"):
        shutil.copy(FOLDER / name, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "job.json").write_text(json.dumps(job))
    read = 'import { readFileSync } from "node:fs";\nconst job = JSON.parse(readFileSync("job.json"));\n'
    (tmp_path / "script.js").write_text(read + script)
    result = subprocess.run(["node", "script.js"], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_a_seed_gives_the_noise_that_numpy_draws(tmp_path):
    seeds = [(0, 0), (0, 1), (7, 2), (2**32 - 1, 3), (2**32 + 5, 0), (2**53 - 1, 12)]
    script = """
import { gumbelNoise } from "./noise.js";
const rows = job.map(([seed, sample]) => {
  const noise = gumbelNoise(seed, sample);
  return [noise(50), noise(50)].map((row) => Array.from(row));
});
console.log(JSON.stringify(rows));
"""
    for (seed, sample), rows in zip(seeds, in_node(script, seeds, tmp_path), strict=True):
        expected = [noise[sample] for noise in islice(gumbel_noise(seed, sample + 1, 50), 2)]
        np.testing.assert_array_equal(np.float32(rows), expected)


def test_characters_are_drawn_as_python_draws_them(tmp_path):
    logits = np.random.default_rng(1).normal(0, 2, (200, VOCABULARY)).astype("float32")
    logits[::5] = logits[::5].round()  # with equal ones
    noise = next(gumbel_noise(3, 200, VOCABULARY))
    options = [(1.0, None, None), (0.5, 3, 8), (1.7, 1, None), (0.01, 99, 8)]
    script = """
import { draw } from "./writer.js";
const drawn = job.options.map(([temperature, topK, excluded]) =>
  job.logits.map((row, i) => draw(row, job.noise[i], { temperature, topK, excluded })));
console.log(JSON.stringify(drawn));
"""
    job = {"logits": logits.tolist(), "noise": noise.tolist(), "options": options}
    for (temperature, top_k, excluded), drawn in zip(options, in_node(script, job, tmp_path), strict=True):
        probabilities = next_probabilities(logits, temperature, top_k, excluded=excluded)
        assert drawn == draw(probabilities, noise).tolist()


def test_a_prefix_is_encoded_and_unknown_characters_are_reported(tmp_path):
    script = """
import { encode } from "./writer.js";
const answers = job.map(([prefix, description]) => {
  try { return encode(prefix, description); } catch (error) { return error.message; }
});
console.log(JSON.stringify(answers));
"""
    lines = {"characters": "\na\U0001f995c", "unknown": "error", "lines": True}
    running = {**lines, "unknown": "unk", "lines": False}
    job = [("c\U0001f995", lines), ("xax", lines), ("a\nc", lines), ("a\nx", running)]
    encoded, unseen, broken, unknown = in_node(script, job, tmp_path)
    assert encoded == [3, 2] and unknown == [1, 0, 4]
    assert unseen == 'The model has not seen "x". It knows "a" "\U0001f995" "c".'
    assert "one line" in broken
