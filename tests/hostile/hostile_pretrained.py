"""Bad weights of others: configurations, torch's pickles, Google's `.npz`, and files that are no weights."""

import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
from hostile_case import Case, cut, flipped
from hostile_npz import Trap
from hostile_texts import json_damage

FIXTURES = Path(__file__).parents[1] / "pretrained" / "fixtures"


def cases():
    yield from _configurations()
    yield from _pickles()
    yield from _arrays()
    yield from _foreign()


def finite(result, good):
    """Rule of success: other finite weights, or another value in a field's range, are a model."""
    return all(np.isfinite(weight).all() for weight in result.get_weights())


def _configurations():
    for family in ("hf_vit", "timm_vit"):
        document = json.loads((FIXTURES / family / "config.json").read_text())
        for name, content in json_damage(document):
            # An empty object is valid: timm's old weights have none, and their tensors determine the model.
            yield _config(family, name, content, **({"allowed": finite} if name == "an empty object" else {}))
        for seed in range(8):
            content = flipped(json.dumps(document).encode(), seed, 2)
            yield _config(family, f"flipped {seed}", content, allowed=finite)
    for field, value in (
        ("num_attention_heads", 0), ("num_attention_heads", -2), ("num_attention_heads", 3),
        ("num_attention_heads", "2"), ("num_attention_heads", None), ("num_attention_heads", 10**9),
        ("num_attention_heads", 2.5), ("num_attention_heads", [2]),
        ("image_size", 0), ("image_size", -16), ("image_size", 10**9), ("image_size", "16"),
        ("layer_norm_eps", 1e300), ("image_size", [16]), ("image_size", [16, "16"]), ("image_size", 18),
        ("image_size", {}), ("patch_size", 0), ("patch_size", -4), ("patch_size", "4"), ("patch_size", 10**9),
        ("patch_size", []), ("hidden_act", "os.system"), ("hidden_act", 3), ("hidden_act", []),
        ("hidden_act", {"a": 1}), ("layer_norm_eps", "x"), ("layer_norm_eps", -1.0), ("layer_norm_eps", [1]),
        ("num_hidden_layers", 10**9), ("num_hidden_layers", "2"), ("num_hidden_layers", 0),
        ("num_hidden_layers", -1), ("hidden_size", 10**9), ("hidden_size", "x"),
        ("intermediate_size", 10**12), ("qkv_bias", "no"), ("qkv_bias", [0]),
    ):  # fmt: skip
        yield _field("hf_vit", field, value)
    for field, value in (
        ("architecture", "os.system"), ("architecture", 3), ("architecture", None), ("architecture", ["a"]),
        ("model_args", 3), ("model_args", {"num_heads": 0}), ("model_args", {"num_heads": -1}),
        ("model_args", {"num_heads": 10**9}), ("model_args", {"num_heads": "2"}),
        ("model_args", {"img_size": -16}), ("model_args", {"img_size": "16"}),
        ("model_args", {"img_size": [16, None]}), ("model_args", {"act_layer": "os.system"}),
        ("model_args", {"norm_layer": "eval"}), ("pretrained_cfg", 3), ("pretrained_cfg", []),
        ("pretrained_cfg", {"input_size": 3}), ("pretrained_cfg", {"input_size": [3, "16", "16"]}),
        ("pretrained_cfg", {"crop_pct": 0}), ("pretrained_cfg", {"crop_pct": -1}),
        ("pretrained_cfg", {"crop_pct": "1"}), ("pretrained_cfg", {"crop_pct": 1e-300}),
        ("pretrained_cfg", {"crop_mode": "evil"}), ("pretrained_cfg", {"interpolation": "evil"}),
        ("pretrained_cfg", {"interpolation": ["bicubic"]}), ("pretrained_cfg", {"mean": 3}),
        ("pretrained_cfg", {"mean": ["a"] * 3}), ("pretrained_cfg", {"mean": [0.5]}),
        ("pretrained_cfg", {"std": [0, 0, 0]}), ("pretrained_cfg", {"std": None}),
        ("global_pool", "evil"), ("global_pool", 3),
    ):  # fmt: skip
        yield _field("timm_vit", field, value)
    for name, value in {
        "a list": [],
        "a number": 3,
        "of a size of none": {"size": None},
        "of a size of text": {"size": {"height": "16", "width": "16"}},
        "of a negative size": {"size": -16},
        "of a huge size": {"size": {"shortest_edge": 10**12}},
        "of an edge of zero": {"size": {"shortest_edge": 0}, "do_center_crop": True, "crop_size": 16},
        "of a mean of text": {"size": 16, "image_mean": "evil"},
        "of one mean": {"size": 16, "image_mean": [0.5]},
        "of a spread of zero": {"size": 16, "image_std": [0, 0, 0]},
        "of a resampling of text": {"size": 16, "resample": "evil"},
        "of a resampling of lists": {"size": 16, "resample": []},
    }.items():
        yield _with_file("hf_vit", f"preprocessor {name}", "preprocessor_config.json", json.dumps(value))


def _field(family, field, value):
    document = json.loads((FIXTURES / family / "config.json").read_text())
    shown = str(value)[:50]
    if isinstance(value, dict) and isinstance(document.get(field), dict):
        value = {**document[field], **value}
    content = json.dumps({**document, field: value})
    same = field in UNUSED or type(value) is str and field == "architecture"
    return _config(family, f"{field}={shown}", content, **({"allowed": finite} if same else {}))


# Not read from the configuration: values that follow from the tensors, and the pooling of other versions.
UNUSED = {"hidden_size", "intermediate_size", "num_hidden_layers", "global_pool"}


def _config(family, name, content, **rule):
    return _with_file(family, f"config {name}", "config.json", content, **rule)


def _with_file(family, name, file, content, **rule):
    """The weights of a family with another file next to them."""

    def write(place):
        for path in (FIXTURES / family).iterdir():
            if path.name != "expected.npz":
                place.put(f"weights/{path.name}", path.read_bytes())
        return place.put(f"weights/{file}", content).parent

    return Case("config.json", f"{family} {name}", "checkpoint", write, **rule)


def _pickles():
    for name, content in {
        "empty": b"",
        "text": b"no weights\n" * 30,
        "before torch 1.6": pickle.dumps({"a": 1}),
        "zip of text": _zip({"a.txt": b"a"}),
        "zip cut": lambda: cut(_torch(_state())(), 0.6),
        "two roots": _zip({"a/data.pkl": _state(), "b/data.pkl": _state(), "a/data/0": bytes(80)}),
        "storage missing": _zip({"archive/data.pkl": _state()}),
        "member outside": _torch(_state(), {"../../sprung": b"x"}),
        "bomb of an index": _torch(b"\x80\x02" + b"]" * 400 * 1024**2 + b"."),
        "50 MB of lists": _torch(b"\x80\x02" + b"]" * 50 * 1024**2 + b"."),
        "bomb of a storage": _torch(_state(), {"archive/data/0": bytes(400 * 1024**2)}),
        "bytes of 2^60": _torch(b"\x80\x04\x8e" + (2**60).to_bytes(8, "little") + b"."),
        "text of 2^60": _torch(b"\x80\x04\x8d" + (2**60).to_bytes(8, "little") + b"."),
        "number of 2^31 bytes": _torch(b"\x80\x02\x8b" + (2**31 - 1).to_bytes(4, "little") + b"."),
        "frame of 2^60": _torch(b"\x80\x04\x95" + (2**60).to_bytes(8, "little") + b"."),
        "memo of 2^31": _torch(b"\x80\x02]r" + (2**31 - 1).to_bytes(4, "little") + b"."),
        "nested tuples": _torch(b"\x80\x02)" + b"\x85" * 200_000 + b"."),
        "unknown opcode": _torch(b"\x80\x02\xff."),
        "protocol 99": _torch(b"\x80\x63."),
        "no end": _torch(_state()[:-1]),
        "noise": _torch(np.random.default_rng(0).bytes(4000)),
        "a number": _torch(pickle.dumps(3, 2)),
        "no tensors": _torch(pickle.dumps({"a": 1}, 2)),
    }.items():
        yield _weights("torch pickle", name, "w.pth", content)
    for name, tensor in {
        "offset past the end": _tensor(offset=10**6),
        "negative offset": _tensor(offset=-4),
        "offset a text": _tensor(offset="0"),
        "shape of 2^62": _tensor(shape=(2**62,), strides=(1,)),
        "shape of 2^62 in place": _tensor(shape=(2**62,), strides=(0,)),
        "shape of 10^12 in place": _tensor(shape=(10**6, 10**6), strides=(0, 0)),
        "negative shape": _tensor(shape=(-4,)),
        "shape a text": _tensor(shape="20"),
        "shape of 10^5 axes": _tensor(shape=(1,) * 10**5, strides=(1,) * 10**5),
        "fewer strides": _tensor(shape=(4, 5), strides=(1,)),
        "negative strides": _tensor(strides=(-1,)),
        "no storage": _tensor(storage=5),
        "storage of another kind": _tensor(storage=("module", "x", "0", "cpu", 20)),
        "storage of objects": _tensor(storage=("storage", "ObjectStorage", "0", "cpu", 20)),
        "storage elsewhere": _tensor(storage=("storage", "FloatStorage", "../../x", "cpu", 20)),
        "storage of two words": _tensor(storage=("storage", "FloatStorage")),
    }.items():
        yield _weights("torch pickle", name, "w.pth", _torch(_state(tensor)))
    for module, name in (
        ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "exec"),
        ("builtins", "getattr"), ("builtins", "open"), ("importlib", "import_module"), ("torch", "load"),
        ("subprocess", "Popen"), ("torch.hub", "load"), ("torch._utils", "_rebuild_tensor_v3"),
        ("torch.serialization", "_load"), ("numpy.core.multiarray", "_reconstruct"), ("pickle", "loads"),
        ("collections", "defaultdict"), ("functools", "partial"), ("operator", "attrgetter"),
        ("hostile_import", "evil"), ("keras_vit.io.files", "write_text"), ("torch", "__builtins__.eval"),
    ):  # fmt: skip
        yield _weights("torch pickle", f"{module}.{name}", "w.pth", _torch(_call(module, name)))
    for file in ("w.pth", "w.bin", "w.pt", "weights/pytorch_model.bin"):
        yield _trapped(file)
    for seed in range(12):
        content = lambda s=seed: flipped(_torch(_state())(), s, 2)  # noqa: E731
        yield _weights("torch pickle", f"flipped {seed}", "w.pth", content)


def _trapped(file):
    def write(place):
        path = place.put(file, _torch(pickle.dumps({"state_dict": Trap(place.sentinel)}, 2)))
        return path.parent if "/" in file else path

    return Case("torch pickle", f"torch pickle with code as {file}", "checkpoint", write)


def _call(module, name):
    """A pickle that calls a function with a command."""
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + b"X\x0c\x00\x00\x00mkdir sprung\x85R."


def _torch(content, members=None):
    return lambda: _zip({"archive/data.pkl": content, "archive/data/0": bytes(80), **(members or {})})


def _state(tensor=None):
    """The pickle of a dict of one tensor."""
    return b"\x80\x02}(X\x01\x00\x00\x00w" + (tensor or _tensor()) + b"u."


def _tensor(storage=("storage", "FloatStorage", "0", "cpu", 20), offset=0, shape=(20,), strides=(1,)):
    """The opcodes of a tensor; a storage that is not a tuple replaces its reference."""
    kept = _values(storage) + b"Q" if isinstance(storage, tuple) else _values(storage)
    arguments = b"(" + kept + _values(offset) + _values(shape) + _values(strides)
    return b"ctorch._utils\n_rebuild_tensor_v2\n" + arguments + b"\x89)tR"


def _values(value):
    if value == "FloatStorage" or value == "ObjectStorage":
        return b"ctorch\n" + value.encode() + b"\n"
    if isinstance(value, tuple):
        return b"(" + b"".join(map(_values, value)) + b"t"
    return pickle.dumps(value, 2)[2:-1]


def _arrays():
    file = "google_augreg/weights.npz"
    content = (FIXTURES / file).read_bytes()
    for share in (0.0, 0.001, 0.3, 0.7, -300, -1):
        yield _weights("google npz", f"cut {share}", "w.npz", cut(content, share))
    for seed in range(12):
        yield _weights("google npz", f"flipped {seed}", "w.npz", flipped(content, seed, 2), allowed=finite)
    with np.load(FIXTURES / file) as archive:
        arrays = dict(archive)
    first = "embedding/kernel"
    for name, changes in {
        "one missing": {first: None},
        "one more": {"evil": np.zeros(3)},
        "of objects": {first: np.array([{"a": 1}], object)},
        "of texts": {first: np.array(["a", "b"])},
        "of nan": {first: np.full_like(arrays[first], np.nan)},
        "of infinity": {first: np.full_like(arrays[first], np.inf)},
        "of complex numbers": {first: arrays[first].astype("complex64")},
        "of dates": {first: np.zeros(arrays[first].shape, "datetime64[s]")},
        "flat": {first: arrays[first].ravel()},
        "empty": {first: np.zeros((0, 4, 3, 16), "f4")},
        "a number": {first: np.float32(1)},
        "block 10^9": {"Transformer/encoderblock_1000000000/LayerNorm_0/scale": np.zeros(16, "f4")},
        "block of text": {"Transformer/encoderblock_x/LayerNorm_0/scale": np.zeros(16, "f4")},
        "positions of no square": {"Transformer/posembed_input/pos_embedding": np.zeros((1, 19, 16), "f4")},
        "no positions": {"Transformer/posembed_input/pos_embedding": np.zeros((1, 0, 16), "f4")},
    }.items():
        changed = {key: array for key, array in {**arrays, **changes}.items() if array is not None}
        yield _weights("google npz", name, "w.npz", lambda changed=changed: _packed(changed))
    for name, shape in {"10^12 numbers": (10**12,), "overflow": (2**40, 2**40), "negative": (-1, 4)}.items():
        header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(118) + "\n"
        member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(80)
        yield _weights("google npz", name, "w.npz", lambda m=member: _zip({f"{first}.npy": m}))
    bomb = {**arrays, first: np.zeros((2000, 2000, 3, 16), "f4")}
    yield _weights("google npz", "bomb", "w.npz", lambda: _packed(bomb, np.savez_compressed))
    for member in ("../w.npy", "/tmp/w.npy"):
        yield _weights("google npz", f"member {member}", "w.npz", lambda m=member: _zip({m: b"x"}))


def _packed(arrays, save=np.savez):
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


def _foreign():
    """Files of other formats with the names of weights."""
    whole = (FIXTURES / "timm_vit" / "model.safetensors").read_bytes()
    for file in (
        "m.weights.h5",
        "m.h5",
        "m.keras",
        "m.ckpt",
        "m.onnx",
        "m.gguf",
        "m.msgpack",
        "m.index.json",
    ):
        yield _weights("other weights", f"named {file}", file, whole)
    for file in ("w.safetensors", "w.npz", "w.pth", "m.keras", "model.safetensors.index.json"):
        yield _weights("other weights", f"text named {file}", file, b"404: Not Found")
    for name, index in {
        "outside": {"weight_map": {"a": "../model.safetensors"}},
        "absolute": {"weight_map": {"a": "/etc/passwd"}},
        "missing file": {"weight_map": {"a": "model-1.safetensors"}},
        "list": [],
        "map of lists": {"weight_map": {"a": []}},
        "empty map": {"weight_map": {}},
        "itself": {"weight_map": {"a": "model.safetensors.index.json"}},
    }.items():
        yield _weights("other weights", f"index {name}", "model.safetensors.index.json", json.dumps(index))


def _weights(kind, name, file, content, **rule):
    return Case(kind, f"{kind} {name}", "checkpoint", lambda place: place.put(file, content), **rule)


def _zip(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content() if callable(content) else content)
    return buffer.getvalue()
