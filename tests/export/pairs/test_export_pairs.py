import json
import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_vit import ConditionError, InputError
from keras_vit.export import load_predictor
from keras_vit.export.pairs import export as module
from keras_vit.export.pairs.export import export_pairs
from keras_vit.export.pairs.form import PairForm
from keras_vit.export.pairs.readers import load_pair_reader
from keras_vit.export.text.readers import load_text_reader
from keras_vit.export.variants import FILES, TEXT_VARIANTS
from keras_vit.export.workers.check import foreign_operators
from keras_vit.models import char_rnn, char_seq2seq, seq2seq_encoder, seq2seq_step
from keras_vit.text import Vocabulary
from keras_vit.text.transduction import PairReader, transduce

VOCABULARY = Vocabulary("\n123abcdefg", unknown="unk")
PAIRS = [("abc", "123"), ("gfed", "3212"), ("a", "1"), ("beg", "21"), ("éa", "1"), ("gg", "22")]
SOURCES = [source for source, _ in PAIRS]
FAST = ("savedmodel", "fp32")
LENGTHS = {"source_length": 6, "target_length": 5}


def build(cell="gru", attention="additive", **options):
    """A model whose logits differ by several nats."""
    keras.utils.set_random_seed(0)
    sizes = {"vocabulary_size": len(VOCABULARY), "hidden_dim": 16, "embedding_dim": 5}
    model = char_seq2seq(cell, attention=attention, **sizes, **(LENGTHS | options))
    random = np.random.default_rng(0)
    model.set_weights([w + random.normal(0, 0.5, w.shape) for w in model.get_weights()])
    return keras.Model(model.inputs, model.outputs, name=model.name)  # as a run saves it


@pytest.fixture(scope="module")
def model():
    return build()


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "export"
    return folder, export_pairs(model, VOCABULARY, PAIRS, folder, variants=FAST, max_drop=100)


def test_every_variant_is_compared_and_described(exported):
    folder, rows = exported
    assert sorted(os.listdir(folder)) == sorted([*(FILES[v] for v in FAST), "export.json", "pairs.json"])
    assert json.loads((folder / "export.json").read_text())["variants"] == rows
    for row in rows:
        assert row["passed"] and row["num_pairs"] == 6 and row["latency_ms"] > 0
        assert row["agreement"] == 1 and row["max_logit_difference"] < 1e-5
    described = json.loads((folder / "pairs.json").read_text())
    assert described == {
        "characters": VOCABULARY.characters,
        "unknown": "unk",
        "max_source": 6,
        "max_target": 4,
    }


@pytest.mark.parametrize("variant", ["savedmodel", "fp32"])
def test_each_form_writes_the_texts_of_the_model(variant, exported, model):
    expected = transduce(PairReader(model), VOCABULARY, SOURCES)
    assert len(set(expected)) > 2 and max(map(len, expected)) <= 4
    reader = load_pair_reader(exported[0] / FILES[variant])
    assert transduce(reader, VOCABULARY, SOURCES) == expected
    for source, message in ((" ", "an empty one"), ("abcdefg", "at most 6 characters"), ("a\nb", "lines")):
        with pytest.raises(InputError, match=message):
            transduce(reader, VOCABULARY, [source])


def test_tflite_files_hold_builtin_operators_and_a_subgraph_for_each_signature(exported):
    from ai_edge_litert import schema_py_generated as schema

    content = (exported[0] / FILES["fp32"]).read_bytes()
    file = schema.Model.GetRootAs(content)
    assert foreign_operators(content) == []
    assert file.SubgraphsLength() == file.SignatureDefsLength() == 2


@pytest.mark.parametrize("attention", ["additive", "dot"])
@pytest.mark.parametrize("cell", ["simple", "lstm", "gru"])
def test_the_form_computes_what_the_model_does(cell, attention):
    model = build(cell, attention, dropout_rate=0.2)
    form = PairForm(model)
    source = np.array([[4, 5, 6, 0, 0, 0], [7, 8, 9, 10, 11, 4]], "int32")
    expected, found = seq2seq_encoder(model)(source), form.encode(tf.constant(source))
    for one, other in zip(expected, [*found[:2], *found[2]], strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)
    memory, mask, *states = expected
    for token in ([0, 0], [3, 1]):
        logits, *after = seq2seq_step(model)([tf.constant(token), memory, mask, *states])
        form_logits, form_states = form.step(tf.constant(token), memory, mask, states)
        np.testing.assert_allclose(form_logits, logits, atol=1e-5)
        np.testing.assert_allclose(form_states[0], after[0], atol=1e-5)
        states = after


def test_a_file_of_another_kind_is_refused_by_each_reader(exported):
    file = exported[0] / FILES["fp32"]
    with pytest.raises(InputError, match=r"holds no text\.json"):
        load_text_reader(file)
    with pytest.raises(InputError, match="expected one signature, found encode, step"):
        load_predictor(file)
    with pytest.raises(InputError, match="found nothing"):
        load_pair_reader(exported[0] / "none.tflite")


def test_a_damaged_file_is_refused(exported, tmp_path):
    content = (exported[0] / FILES["fp32"]).read_bytes()
    (tmp_path / "short.tflite").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError):
        load_pair_reader(tmp_path / "short.tflite")


def test_a_file_that_is_not_the_model_is_refused_and_leaves_nothing(model, tmp_path, monkeypatch):
    other, write = build(), module.write_pair_model
    other.set_weights([1.02 * w for w in other.get_weights()])
    monkeypatch.setattr(module, "write_pair_model", lambda _, *rest: write(other, *rest))
    with pytest.raises(ConditionError, match="differs from the model"):
        export_pairs(model, VOCABULARY, PAIRS, tmp_path, variants=("savedmodel",), max_drop=100)
    assert sorted(os.listdir(tmp_path)) == ["export.json", "pairs.json"]


def test_what_does_not_fit_together_is_refused_before_anything_is_written(model, tmp_path):
    def export(model=model, vocabulary=VOCABULARY, pairs=PAIRS, **options):
        export_pairs(model, vocabulary, pairs, tmp_path / "x", **options)

    with pytest.raises(InputError, match="'full_int8' is not for pairs of texts"):
        export(variants=("full_int8",))
    with pytest.raises(InputError, match="one logit per token"):
        export(vocabulary=Vocabulary("\nab"))
    with pytest.raises(InputError, match="at least one held-out pair"):
        export(pairs=[])
    with pytest.raises(InputError, match="with a source_length"):
        export(model=build(source_length=None))
    with pytest.raises(InputError, match="with a target_length"):
        export(model=build(target_length=None))
    with pytest.raises(InputError, match="Expected a char_seq2seq"):
        export(model=char_rnn(vocabulary_size=len(VOCABULARY)))
    broken = build()
    broken.set_weights([np.full(w.shape, np.nan) for w in broken.get_weights()])
    with pytest.raises(InputError, match="NaN"):
        export(model=broken)
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"cell": "lstm", "attention": "dot"}, {"dtype": "mixed_bfloat16"}])
def test_every_kind_of_model_is_exported_in_all_variants(options, tmp_path):
    rows = export_pairs(build(**options), VOCABULARY, PAIRS, tmp_path, max_drop=100)
    assert [row["passed"] for row in rows] == [True] * len(TEXT_VARIANTS)
