import json
import os
import re
import shutil
import time

import keras
import numpy as np
import pytest

from keras_vit import ConditionError, InputError
from keras_vit.export import load_predictor
from keras_vit.export.text.export import TEXT_VARIANTS, export_text
from keras_vit.export.text.readers import load_text_reader
from keras_vit.export.tflite.archive import attach_files
from keras_vit.export.variants import FILES
from keras_vit.export.workers.check import foreign_operators
from keras_vit.text import Vocabulary, generate
from keras_vit.text.likelihood import text_figures
from keras_vit.text.readers import reader_of

COUNT = 6  # characters that `generate` writes at once here
FAST = ("savedmodel", "fp32", "dynamic_int8")


@pytest.fixture(scope="module")
def exported(model, vocabulary, windows, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "export"
    options = {"lines": True, "variants": FAST, "max_drop": 0.05, "characters": COUNT}
    return folder, export_text(model, vocabulary, windows, folder, **options)


def test_every_variant_is_verified_and_described(exported, windows):
    folder, rows = exported
    assert sorted(os.listdir(folder)) == sorted(
        [*(FILES[v] for v in FAST), "app.md", "export.json", "text.json"]
    )
    assert json.loads((folder / "export.json").read_text())["variants"] == rows
    assert [row["variant"] for row in rows] == list(FAST)
    for row in rows:
        assert row["passed"] and row["num_characters"] == windows.mask.sum()
        assert abs(row["drop"]) < 0.05 and row["agreement"] > 0.9
        assert row["latency_ms"] > 0 and len(row.get("sha256", "-" * 64)) == 64


@pytest.mark.parametrize("options", [{}, {"temperature": 0.6, "top_k": 4}, {"top_p": 0.8, "prefix": "ab"}])
def test_one_seed_gives_one_list_of_texts_from_keras_saved_model_and_tflite(
    options, exported, model, vocabulary
):
    options = {"seed": 11, "max_length": 9, **options}
    expected = generate(reader_of(model), vocabulary, 5, **options)
    assert len(set(expected)) > 2
    for variant in ("savedmodel", "fp32"):
        reader = load_text_reader(exported[0] / FILES[variant])
        assert reader.description.vocabulary == vocabulary and reader.description.lines
        assert generate(reader, vocabulary, 5, **options) == expected


def test_the_python_lines_of_app_md_write_the_likeliest_text(exported, vocabulary, monkeypatch):
    folder, _ = exported
    text = (folder / "app.md").read_text(encoding="utf-8")
    assert not re.search(r"@[A-Z_]+@", text) and "endsAtNewline = true" in text
    (lines,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(folder)
    written = {"__name__": "app"}
    exec(lines, written)
    file = folder / re.search(r'Interpreter\("(.*?)"\)', lines)[1]
    (expected,) = generate(load_text_reader(file), vocabulary, 1, top_k=1, max_length=9, prefix="ab")
    assert written["write"]("ab", most=9, temperature=1e-6, seed=0) in (expected, "ab" + expected)


def test_a_text_is_as_likely_to_each_form(exported, model, vocabulary):
    expected = text_figures(reader_of(model), vocabulary, "abc\nfed\n", lines=True)
    assert expected["num_characters"] == 8
    for variant in FAST:
        reader = load_text_reader(exported[0] / FILES[variant])
        figures = text_figures(reader, vocabulary, "abc\nfed\n", lines=True)
        tolerance = 0.05 if variant == "dynamic_int8" else 1e-5
        assert figures["cross_entropy"] == pytest.approx(expected["cross_entropy"], abs=tolerance)


def test_tflite_files_hold_builtin_operators_and_one_subgraph_a_signature(exported):
    from ai_edge_litert import schema_py_generated as schema

    content = (exported[0] / FILES["dynamic_int8"]).read_bytes()
    file = schema.Model.GetRootAs(content)
    assert foreign_operators(content) == []
    assert file.SubgraphsLength() == file.SignatureDefsLength() == 3
    kinds = {file.Subgraphs(0).Tensors(i).Type() for i in range(file.Subgraphs(0).TensorsLength())}
    assert schema.TensorType.INT8 in kinds


def test_the_description_in_a_file_contains_no_time(exported, tmp_path, monkeypatch):
    description = load_text_reader(exported[0] / FILES["fp32"]).description
    for name, when in (("early", 1e9), ("late", 1.5e9)):
        (tmp_path / name).write_bytes(b"a model")
        monkeypatch.setattr(time, "time", lambda when=when: when)
        attach_files(tmp_path / name, {"text.json": description.to_bytes()})
    assert (tmp_path / "early").read_bytes() == (tmp_path / "late").read_bytes()


@pytest.fixture
def auto(exported, model, vocabulary, windows, tmp_path, monkeypatch):
    """A function that exports with `auto`, where each file is a copy of one that was converted before."""

    def write(*given):
        shutil.copyfile(exported[0] / FILES["fp32"], given[-1])

    monkeypatch.setattr("keras_vit.export.text.export.write_text_model", write)
    options = {"lines": True, "variants": ("auto",), "characters": COUNT}
    return lambda **more: export_text(model, vocabulary, windows, tmp_path, **options, **more)


def test_auto_that_is_interrupted_leaves_nothing(auto, tmp_path):
    def interrupt(*_):
        if list(tmp_path.rglob(FILES["fp32"])):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        auto(progress=interrupt)
    assert not os.listdir(tmp_path)


def test_auto_keeps_one_of_its_candidates_and_removes_earlier_files(auto, tmp_path):
    for variant in ("fp32", "fp16", "dynamic_int8"):
        (tmp_path / FILES[variant]).write_text("of an earlier export")
    (kept,) = (row for row in auto() if row["kept"])
    assert sorted(os.listdir(tmp_path)) == sorted(["app.md", "export.json", "text.json", kept["file"]])
    assert (tmp_path / kept["file"]).stat().st_size == kept["size"]


def test_a_damaged_file_and_a_file_of_images_are_refused(exported, tmp_path, model):
    content = (exported[0] / FILES["fp32"]).read_bytes()
    (tmp_path / "short.tflite").write_bytes(content[: len(content) // 2])
    (tmp_path / "none.tflite").write_bytes(b"")
    for name in ("short.tflite", "none.tflite", "missing.tflite"):
        with pytest.raises(InputError):
            load_text_reader(tmp_path / name)
    with pytest.raises(InputError, match="expected one signature, found generate, score, step"):
        load_predictor(exported[0] / FILES["fp32"])


def test_a_file_that_is_not_the_model_is_refused_and_leaves_nothing(
    build, model, vocabulary, windows, tmp_path, monkeypatch
):
    from keras_vit.export.text import export as module

    other, write = build("gru"), module.write_text_model
    other.set_weights([1.02 * w for w in other.get_weights()])
    monkeypatch.setattr(module, "write_text_model", lambda _, *rest: write(other, *rest))
    with pytest.raises(ConditionError, match="differs from the model"):
        export_text(model, vocabulary, windows, tmp_path, lines=True, variants=("savedmodel",), max_drop=9)
    assert sorted(os.listdir(tmp_path)) == ["app.md", "export.json", "text.json"]


def test_what_does_not_fit_together_is_refused_before_anything_is_written(
    model, vocabulary, windows, tmp_path
):
    def export(model=model, vocabulary=vocabulary, windows=windows, **options):
        export_text(model, vocabulary, windows, tmp_path / "x", lines=True, **options)

    with pytest.raises(InputError, match="'full_int8' is not for text"):
        export(variants=("full_int8",))
    with pytest.raises(InputError, match="one logit per token"):
        export(vocabulary=Vocabulary("\nab"))
    with pytest.raises(InputError, match="at least 1 character"):
        export(characters=0)
    with pytest.raises(InputError, match="held-out windows"):
        export(windows=windows.rows(slice(0)))
    broken = keras.models.clone_model(model)
    broken.set_weights([np.full(w.shape, np.nan) for w in model.get_weights()])
    with pytest.raises(InputError, match="NaN"):
        export(model=broken)
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lstm", "simple", "bfloat16", "transformer"])
def test_every_kind_of_model_is_exported(kind, build, vocabulary, windows, tmp_path):
    options = {"variants": TEXT_VARIANTS, "max_drop": 0.1, "characters": COUNT}
    rows = export_text(build(kind), vocabulary, windows, tmp_path, lines=True, **options)
    assert [row["passed"] for row in rows] == [True] * len(TEXT_VARIANTS)


@pytest.mark.slow
def test_auto_keeps_one_file(model, vocabulary, windows, tmp_path):
    rows = export_text(model, vocabulary, windows, tmp_path, lines=True, variants=("auto",), characters=COUNT)
    (kept,) = (row["file"] for row in rows if row["kept"])
    assert sorted(os.listdir(tmp_path)) == sorted(["app.md", "export.json", "text.json", kept])
