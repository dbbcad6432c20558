"""Broken, malicious and unknown files: an error of one line, and no code runs."""

import io
import json
import pickle
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from keras_vit import pretrained
from keras_vit.errors import InputError

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(FIXTURES / "timm_vit", tmp_path / "timm_vit"))


def refused(source, match, **arguments):
    with pytest.raises(InputError, match=match) as caught:
        pretrained.load(source, **arguments)
    assert "\n" not in str(caught.value)


def changed(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")


def test_missing_and_unused_tensors_are_listed(folder):
    def change(tensors):
        del tensors["blocks.1.norm2.bias"]
        tensors["blocks.1.extra"] = np.zeros(3, "float32")

    changed(folder, change)
    refused(folder, r"missing: blocks\.1\.norm2\.bias; unused: blocks\.1\.extra")


def test_tensors_of_another_shape_are_listed(folder):
    changed(folder, lambda tensors: tensors.update({"norm.bias": np.zeros(17, "float32")}))
    refused(folder, r"norm\.bias \(17,\) for \(16,\)")


def test_unknown_weights_are_refused_with_the_names_of_the_families(folder):
    save_file({"conv.weight": np.zeros(3, "float32")}, folder / "model.safetensors")
    refused(folder, "expected .*timm ViT.* received conv.weight")


@pytest.mark.parametrize("name", ["timm_dinov3_plus", "timm_eva02"])
def test_another_kind_of_rotary_positions_is_refused(name, tmp_path):
    folder = Path(shutil.copytree(FIXTURES / name, tmp_path / "rotated"))
    config = json.loads((folder / "config.json").read_text())
    config["model_args"]["rope_type"] = "mixed"
    (folder / "config.json").write_text(json.dumps(config))
    refused(folder, "another graph than this family's .it sets rope_type")


def test_a_gate_of_another_activation_is_refused(tmp_path):
    folder = Path(shutil.copytree(FIXTURES / "hf_dinov3_plus", tmp_path / "gated"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "hidden_act": "gelu"}))
    refused(folder, "gated MLP is .gelu.: expected silu")


@pytest.mark.parametrize("keep", [0, 5, 200, -100])
def test_a_truncated_safetensors_file_is_refused(folder, keep):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    refused(folder, "truncated or not a safetensors file")


def test_an_index_cannot_name_files_outside_its_folder(folder):
    (folder / "model.safetensors").rename(folder / "model-1.safetensors")
    names = load_file(folder / "model-1.safetensors")
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": dict.fromkeys(names, "model-1.safetensors")}))
    pretrained.load(folder)
    index.write_text(json.dumps({"weight_map": {"a": "../model.safetensors"}}))
    refused(folder, "outside its folder")
    index.write_text("[]")
    refused(folder, "no weight_map")


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"'])
def test_a_broken_configuration_is_refused(folder, text):
    (folder / "config.json").write_text(text)
    refused(folder, "config.json")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"architecture": 3}, "configuration is not of a known library"),
        ({"model_args": 1}, "configuration is not of a known library"),
        ({"pretrained_cfg": []}, "configuration or the tensors are not those of timm ViT"),
        ({"model_args": {"num_heads": "two"}}, "Expected num_heads of .* to be int or none, received 'two'"),
    ],
)
def test_a_configuration_of_other_types_is_refused(folder, config, message):
    (folder / "config.json").write_text(json.dumps(config))
    refused(folder, message)


def test_arrays_of_objects_in_an_npz_are_not_unpickled(tmp_path):
    np.savez(tmp_path / "w.npz", a=np.array([{"x": 1}], dtype=object))
    refused(tmp_path / "w.npz", "Python objects")


def test_a_truncated_npz_is_refused(tmp_path):
    data = (FIXTURES / "google_augreg/weights.npz").read_bytes()
    (tmp_path / "w.npz").write_bytes(data[:-300])
    refused(tmp_path / "w.npz", "not a zip archive.*truncated")


class Bomb:
    def __reduce__(self):
        return (open, ("/tmp/keras_vit_must_not_exist", "w"))


def torch_file(path, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)


def test_a_pickle_with_code_is_refused_with_the_name_of_its_function(tmp_path):
    torch_file(tmp_path / "w.pth", pickle.dumps({"state_dict": Bomb()}))
    refused(tmp_path / "w.pth", r"(io|_io|builtins)\.open")
    assert not Path("/tmp/keras_vit_must_not_exist").exists()


@pytest.mark.parametrize("content", [b"", b"\x80\x02.", pickle.dumps([1, 2]), pickle.dumps({"a": 1})])
def test_a_torch_file_without_tensors_is_refused(tmp_path, content):
    torch_file(tmp_path / "w.bin", content)
    refused(tmp_path / "w.bin", "w.bin")


def test_the_old_torch_format_is_refused(tmp_path):
    (tmp_path / "w.pth").write_bytes(pickle.dumps({"a": 1}))
    refused(tmp_path / "w.pth", "before torch 1.6")


def state_dict_file(path, tensors, offset=0):
    """A torch file of float32 tensors, its pickle written by hand in protocol 2."""
    out = io.BytesIO()
    out.write(b"\x80\x02}(")
    for index, (name, array) in enumerate(tensors.items()):
        shape = b"".join(b"J" + int(n).to_bytes(4, "little") for n in array.shape)
        steps = [s // 4 for s in array.strides]
        strides = b"".join(b"J" + int(n).to_bytes(4, "little") for n in steps)
        out.write(b"X" + len(name).to_bytes(4, "little") + name.encode())
        out.write(b"ctorch._utils\n_rebuild_tensor_v2\n((")
        out.write(b"X\x07\x00\x00\x00storage" + b"ctorch\nFloatStorage\n")
        out.write(b"X" + len(str(index)).to_bytes(4, "little") + str(index).encode())
        out.write(b"X\x03\x00\x00\x00cpu" + b"J" + int(array.size).to_bytes(4, "little") + b"tQ")
        out.write(b"J" + offset.to_bytes(4, "little") + b"(" + shape + b"t(" + strides + b"t")
        out.write(b"\x89ccollections\nOrderedDict\n)RtR")
    out.write(b"u.")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", out.getvalue())
        for index, array in enumerate(tensors.values()):
            archive.writestr(f"archive/data/{index}", np.ascontiguousarray(array).tobytes())


def test_a_torch_file_of_tensors_loads_as_the_safetensors_do(folder):
    expected = pretrained.load(folder).get_weights()
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    state_dict_file(folder / "pytorch_model.bin", tensors)
    for ours, theirs in zip(expected, pretrained.load(folder).get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_tensor_that_points_outside_its_data_is_refused(folder):
    state_dict_file(folder / "w.pth", load_file(folder / "model.safetensors"), offset=1)
    refused(folder / "w.pth", "points outside the stored data")


def test_missing_and_unknown_sources_are_refused(tmp_path):
    refused(tmp_path / "absent.safetensors", "found nothing")
    refused(tmp_path, "contains no weights")
    (tmp_path / "own.npz").touch()
    refused(tmp_path, r"contains no weights: .* Give the file itself, such as .*own.npz")
    refused("no such thing", "hub id")
    (tmp_path / "weights.txt").write_text("x")
    refused(tmp_path / "weights.txt", "unknown format")


def test_a_hub_id_without_a_network_is_an_error_of_one_line(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    refused("owner/name", "cannot be reached")


@pytest.mark.parametrize("name", ["model.safetensors.index.json", "pytorch_model.bin"])
def test_downloaded_weights_of_any_name_are_found_without_a_network(name, folder, tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    commit, repository = "a" * 40, tmp_path / "hub/models--owner--name"
    snapshot = repository / "snapshots" / commit
    (repository / "refs").mkdir(parents=True)
    (repository / "refs/main").write_text(commit)
    shutil.copytree(folder, snapshot)
    if name.endswith(".bin"):
        state_dict_file(snapshot / name, load_file(snapshot / "model.safetensors"))
        (snapshot / "model.safetensors").unlink()
    else:
        (snapshot / "model.safetensors").rename(snapshot / "part.safetensors")
        names = load_file(snapshot / "part.safetensors")
        (snapshot / name).write_text(json.dumps({"weight_map": dict.fromkeys(names, "part.safetensors")}))
    assert pretrained.load("owner/name").output_shape == (None, 5)


def test_two_tensors_for_one_weight_are_refused(tmp_path):
    folder = Path(shutil.copytree(FIXTURES / "hf_vit", tmp_path / "twice"))
    changed(folder, lambda t: t.update({"embeddings.cls_token": t["vit.embeddings.cls_token"]}))
    refused(folder, "embeddings.cls_token are the same weight")


@pytest.mark.parametrize("source", [None, 3])
def test_a_source_that_is_no_path_is_refused(source):
    refused(source, "Expected source to be str or PathLike, received")


@pytest.mark.parametrize("num_classes", [-1, 2.5, "ten"])
def test_an_invalid_number_of_classes_is_refused(num_classes):
    refused(FIXTURES / "timm_vit", "Expected num_classes", num_classes=num_classes)


def test_an_image_size_that_the_patch_does_not_divide_is_refused():
    refused(FIXTURES / "timm_vit", "must divide", image_size=18)


@pytest.mark.parametrize("source", ["model", "x" * 5000, "a\0b/c"])
def test_an_invalid_source_is_refused(source):
    refused(source, "neither a file, nor a folder, nor a hub id")
