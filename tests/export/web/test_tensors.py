"""The page frees what a run of the model took, also when the run fails."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "export" / "web" / "page"
TENSOR = """
globalThis.living = globalThis.made = 0;
export class Tensor {
  constructor() { living++; made++; }
  delete() { living--; }
}
"""
MODEL = """
const run = async () => { throw new Error("no memory"); };
const details = { name: "state_0", shape: [1, 2, 2, 3], dtype: "float32" };
const getInputDetails = () => [details];
const model = { run, getInputDetails, signatures: { step: { run, getInputDetails } } };
export const loadModel = async () => [{}, model];
export const isKept = () => false;
export const warmUp = (run) => run();
export const loadOnGpu = async () => { throw new Error("none"); };
export const fail = ({ message }) => console.log(JSON.stringify({ message, made, living }));
export const recover = () => {};
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize(("kind", "made"), [("images", 1), ("text", 2)])
def test_no_tensor_outlives_a_run_that_fails(kind, made, tmp_path):
    shutil.copytree(PAGE / kind, tmp_path, dirs_exist_ok=True)
    package = tmp_path / "node_modules" / "@litertjs" / "core"
    package.mkdir(parents=True)
    (package / "index.js").write_text(TENSOR)
    (package / "package.json").write_text('{"type": "module", "main": "index.js"}')
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "litert.js").write_text(MODEL)
    script = "globalThis.document = { getElementById: () => ({}) }; await import('./app.js');"
    (tmp_path / "script.js").write_text(script)
    result = subprocess.run(["node", "script.js"], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"message": "no memory", "made": made, "living": 0}
