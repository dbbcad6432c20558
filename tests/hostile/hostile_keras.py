"""Bad `.keras` files: damaged, code-bearing, or declaring sizes that exceed any memory."""

import base64
import copy
import io
import json
import os
import pickle
import zipfile

import h5py
import numpy as np
from hostile_case import Case, cut, flipped
from hostile_npz import Trap

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
SHARE = 2**40


def same_answers(result, good):
    """Rule of success: the outputs equal those of the intact model bit for bit."""
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 1)).astype("float32")
    return np.array_equal(result(images), good(images))


def finite_weights(result, good):
    """Rule of success: under a right checksum, other finite weights of the same shapes are a model."""
    return all(np.isfinite(weight).all() for weight in result.get_weights())


def cases():
    yield from _archives()
    yield from _members()
    yield from _weights()
    yield from _code()
    yield from _sizes()


def _case(kind, name, change, **rule):
    return Case(kind, f"{kind} {name}", "keras", lambda place: place.put("m.keras", change(place)), **rule)


def _archives():
    kind = "keras archive"
    for share in (0.0, 0.001, 0.1, 0.5, 0.9, -30, -1):
        yield _case(kind, f"cut {share}", lambda p, s=share: cut(p.good["keras"], s), allowed=same_answers)
    for seed in range(15):
        change = lambda p, s=seed: flipped(p.good["keras"], s, 1 + s % 3)  # noqa: E731
        yield _case(kind, f"flipped {seed}", change, allowed=same_answers)
    for seed in range(6):
        change = lambda p, s=seed: flipped(p.good["keras"], s, start=len(p.good["keras"]) - 250)  # noqa: E731
        yield _case(kind, f"directory flipped {seed}", change, allowed=same_answers)
    yield _case(kind, "text", lambda p: b"no model\n" * 50)
    yield _case(kind, "pickle", lambda p: pickle.dumps(Trap(p.sentinel)))
    yield _case(kind, "only weights", lambda p: _parts(p)[WEIGHTS])
    yield _case(kind, "archive in an archive", lambda p: _zip({"m.keras": p.good["keras"]}))
    for name in (CONFIG, METADATA, WEIGHTS):
        yield _case(kind, f"{name} missing", lambda p, n=name: _without(p, n))
        yield _case(kind, f"{name} empty", lambda p, n=name: _with(p, n, b""))
        yield _case(kind, f"{name} twice", lambda p, n=name: _appended(p, n, b"{}"))
    for name in ("../sprung", "/tmp/keras_vit_sprung", "assets/../../sprung", "..\\sprung", "C:\\sprung"):
        yield _case(kind, f"member {name}", lambda p, n=name: _appended(p, n, b"x"))
    yield _case(kind, "foreign member", lambda p: _appended(p, "setup.py", b"import os; os.mkdir('sprung')"))
    yield _case(
        kind, "30,000 members", lambda p: _zip({**_parts(p), **{f"assets/{n}": b"" for n in range(30_000)}})
    )
    yield _case(kind, "bomb of weights", lambda p: _with(p, WEIGHTS, bytes(400 * 1024**2)))
    yield _case(kind, "bomb of configuration", lambda p: _with(p, CONFIG, b" " * 200 * 1024**2))
    yield _case(kind, "bomb as an asset", lambda p: _appended(p, "assets/x", bytes(400 * 1024**2)))

    def folder(place):
        (place.folder / "m.keras").mkdir()
        return place.folder / "m.keras"

    def pipe(place):
        os.mkfifo(place.folder / "m.keras")
        return place.folder / "m.keras"

    yield Case(kind, "keras folder", "keras", folder)
    yield Case(kind, "keras pipe", "keras", pipe)


def _members():
    kind = "keras configuration"
    for name, content in {
        "no json": b"class_name: Sequential",
        "null": b"null",
        "list": b"[]",
        "text": b'"Sequential"',
        "deep": b"[" * 100_000 + b"]" * 100_000,
        "deep objects": b'{"class_name":' * 50_000 + b"1" + b"}" * 50_000,
        "no utf-8": b"\xff\xfe{}",
        "empty object": b"{}",
        "class twice": b'{"class_name": "Sequential", "class_name": "Model", "config": {}}',
        "class is a list": b'{"class_name": ["Sequential"], "module": "keras", "config": {}}',
        "module is a number": b'{"class_name": "Sequential", "module": 3, "config": {}}',
        "config is null": b'{"class_name": "Sequential", "module": "keras", "config": null}',
        "config is a text": b'{"class_name": "Sequential", "module": "keras", "config": "x"}',
        "no layers": b'{"class_name": "Sequential", "module": "keras", "config": {"layers": []}}',
        "layers is a number": b'{"class_name": "Sequential", "module": "keras", "config": {"layers": 5}}',
        "a layer": b'{"class_name": "Dense", "module": "keras.layers", "config": {"units": 3}}',
        "an optimizer": b'{"class_name": "Adam", "module": "keras.optimizers", "config": {}}',
        "an abstract model": b'{"class_name": "Model", "module": "keras", "config": {}}',
    }.items():
        yield _case(kind, name, lambda p, c=content: _with(p, CONFIG, c))
    yield _case(kind, "metadata no json", lambda p: _with(p, METADATA, b"{"))
    for name, field, value in (
        ("units as text", "units", "4"), ("units negative", "units", -4), ("units zero", "units", 0),
        ("units nan", "units", float("nan")), ("units null", "units", None), ("units broken", "units", 2.5),
        ("units a list", "units", [4]), ("units others", "units", 7), ("unknown field", "evil", 1),
        ("activation unknown", "activation", "evil"), ("activation a number", "activation", 3),
        ("dtype unknown", "dtype", "float7"), ("name a path", "name", "../../x"), ("name a list", "name", []),
        ("initializer unknown", "kernel_initializer", "evil"), ("bias removed", "use_bias", False),
    ):  # fmt: skip
        yield _case(kind, name, lambda p, f=field, v=value: _dense(p, f, v))
    for seed in range(15):

        def change(place, seed=seed):
            return _with(place, CONFIG, flipped(_parts(place)[CONFIG], seed, 2))

        yield _case(kind, f"flipped {seed}", change, allowed=finite_weights)


def _weights():
    kind = "keras weights"
    for share in (0.0, 0.01, 0.3, 0.6, 0.95, -1):
        yield _case(
            kind, f"weights cut {share}", lambda p, s=share: _with(p, WEIGHTS, cut(_parts(p)[WEIGHTS], s))
        )
    for seed in range(25):

        def change(place, seed=seed):
            return _with(place, WEIGHTS, flipped(_parts(place)[WEIGHTS], seed, 1 + seed % 4))

        yield _case(kind, f"weights flipped {seed}", change, allowed=finite_weights)
    yield _case(kind, "weights text", lambda p: _with(p, WEIGHTS, b"no weights\n" * 99))
    yield _case(kind, "weights noise", lambda p: _with(p, WEIGHTS, np.random.default_rng(0).bytes(9000)))
    for name, change in {
        "nan": lambda file: _fill(file, np.nan),
        "infinity": lambda file: _fill(file, np.inf),
        "array missing": lambda file: file.__delitem__(_arrays(file)[0]),
        "group missing": lambda file: file["layers"].__delitem__(next(iter(file["layers"]))),
        "all missing": lambda file: file.__delitem__("layers"),
        "array too large": lambda file: _replace(file, data=np.zeros((99, 99), "f4")),
        "array of texts": lambda file: _replace(file, data=np.array([b"a", b"b"])),
        "array of objects": lambda file: _replace(file, shape=(3,), dtype=h5py.string_dtype()),
        "array a group": lambda file: _replace(file),
        "soft link": lambda file: _link(file, h5py.SoftLink("/layers")),
        "endless link": lambda file: _link(file, h5py.SoftLink("/")),
        "external link": lambda file: _link(file, h5py.ExternalLink("/etc/passwd", "/")),
        "external data": lambda file: _replace(
            file, shape=(9,), dtype="u1", external=[("/etc/passwd", 0, 9)]
        ),
        "virtual data": lambda file: _virtual(file),
        "10^12 numbers": lambda file: _replace(
            file, shape=(10**12,), dtype="f4", chunks=(1000,), fillvalue=1.0
        ),
        "4 GB of fill": lambda file: _replace(
            file, shape=(10**9,), dtype="f4", chunks=(10**6,), compression="gzip", fillvalue=1.0
        ),
        "bomb": lambda file: _replace(file, data=np.zeros(50_000_000, "f4"), compression="gzip"),
        "cycle": lambda file: file["layers"].__setitem__("again", file["layers"]),
    }.items():
        yield _case(kind, f"weights {name}", lambda p, c=change: _with(p, WEIGHTS, _edited(p, c)))


def _code():
    kind = "keras code"
    for name, module, class_name, config in (
        ("os.system", "os", "system", {"command": "mkdir sprung"}),
        ("posix.system", "posix", "system", {"command": "mkdir sprung"}),
        ("eval", "builtins", "eval", {"source": "1"}),
        ("exec", "builtins", "exec", {"source": "1"}),
        ("open", "builtins", "open", {"file": "sprung", "mode": "w"}),
        ("subprocess", "subprocess", "Popen", {"args": "mkdir sprung"}),
        ("pathlib", "pathlib", "Path", {}),
        ("numpy.load", "numpy", "load", {"allow_pickle": True}),
        ("importlib", "importlib", "import_module", {"name": "this"}),
        ("pickle", "pickle", "Unpickler", {}),
        ("tensorflow", "tensorflow.io", "write_file", {"filename": "sprung"}),
        ("own module", "hostile_import", "Evil", {}),
        ("module of nearly Keras's name", "keras_evil", "Evil", {}),
        ("training", "keras_vit.training.run", "train", {}),
        ("get_file", "keras.utils", "get_file", {"origin": "file:///etc/passwd"}),
        ("keras.utils", "keras.utils", "PyDataset", {}),
        ("keras.callbacks", "keras.callbacks", "BackupAndRestore", {}),
        ("keras.src", "keras.src.utils.file_utils", "get_file", {"origin": "file:///etc"}),
        ("keras.src.backend", "keras.src.backend", "Variable", {}),
        ("keras.config", "keras.config", "enable_unsafe_deserialization", {}),
        ("keras.saving", "keras.saving", "load_model", {"filepath": "x"}),
        ("TFSMLayer", "keras.layers", "TFSMLayer", {"filepath": "/tmp/x"}),
        ("TFSMLayer's source", "keras.src.export.tfsm_layer", "TFSMLayer", {"filepath": "/tmp/x"}),
        ("JaxLayer", "keras.layers", "JaxLayer", {"call_fn": "eval"}),
        ("FlaxLayer", "keras.layers", "FlaxLayer", {"module": "eval"}),
        ("lookup in a file", "keras.layers", "StringLookup", {"vocabulary": "/etc/passwd"}),
        ("vocabulary in a file", "keras.layers", "TextVectorization", {"vocabulary": "/etc/passwd"}),
    ):
        entry = {"module": module, "class_name": class_name, "config": config}
        yield _case(kind, name, lambda p, e=entry: _inserted(p, e))
        yield _case(kind, f"{name} in a wrapper", lambda p, e=entry: _inserted(p, _wrapped(e)))
    for name, registered, module, class_name, config in (
        ("registered as os", "os>system", "keras.layers", "Dense", {"units": 3}),
        ("registered as ours", "keras_vit>DropPath", "os", "system", {"rate": "mkdir sprung"}),
        ("not registered as ours", "keras_vit>load_model", "keras_vit.io.files", "load_model", {"path": "x"}),
        ("type spec", "system", "os", "__typespec__", ["mkdir sprung"]),
    ):
        entry = {"module": module, "class_name": class_name, "config": config, "registered_name": registered}
        yield _case(kind, name, lambda p, e={**entry, "spec_name": "system"}: _inserted(p, e))
    for name in ("Lambda", "lambda in a wrapper"):
        yield _case(
            kind, name, lambda p, n=name: _inserted(p, _lambda(p) if n == "Lambda" else _wrapped(_lambda(p)))
        )
    yield _case(kind, "pickled torch module", lambda p: _inserted(p, _torch(p)))
    for module, name in (
        ("os", "system"),
        ("builtins", "eval"),
        ("builtins", "exec"),
        ("builtins", "print"),
        ("keras.utils", "get_file"),
        ("keras.saving", "load_model"),
        ("keras.config", "enable_unsafe_deserialization"),
        ("keras.config", "set_backend"),
        ("hostile_import", "evil"),
        ("keras.backend", "clear_session"),
        ("tensorflow", "print"),
        ("keras.src.utils.file_utils", "get_file"),
    ):
        entry = {"module": module, "class_name": "function", "config": name, "registered_name": name}
        for field in ("activation", "kernel_initializer"):
            yield _case(kind, f"{field} {module}.{name}", lambda p, f=field, e=entry: _dense(p, f, e))
    yield _case(kind, "lambda as activation", lambda p: _dense(p, "activation", _code_object(p)))
    yield _case(kind, "lambda as regularizer", lambda p: _dense(p, "kernel_regularizer", _code_object(p)))


def _sizes():
    kind = "keras sizes"
    layers = "keras.layers"
    for name, field, value in (
        ("10^12 units", "units", 10**12), ("10^9 units", "units", 10**9), ("10^30 units", "units", 10**30),
        ("50,000 units", "units", 50_000), ("units of a float", "units", 1e300),
    ):  # fmt: skip
        yield _case(kind, name, lambda p, f=field, v=value: _dense(p, f, v))
    for name, class_name, config in (
        ("10^10 filters", "Conv2D", {"filters": 10**10, "kernel_size": 3, "padding": "same"}),
        ("a kernel of 10^6", "Conv2D", {"filters": 1, "kernel_size": 10**6, "padding": "same"}),
        ("enlarged 10^6 times", "UpSampling2D", {"size": 10**6}),
        ("padded by 10^6", "ZeroPadding2D", {"padding": 10**6}),
        ("resized to 10^6", "Resizing", {"height": 10**6, "width": 10**6}),
        ("a depth of 10^9", "DepthwiseConv2D", {"kernel_size": 3, "depth_multiplier": 10**9}),
        ("a categories of 10^12", "CategoryEncoding", {"num_tokens": 10**12}),
        ("10^9 dimensions embedded", "Embedding", {"input_dim": 10**9, "output_dim": 1000}),
    ):
        entry = {"module": layers, "class_name": class_name, "config": config}
        yield _case(kind, name, lambda p, e=entry: _inserted(p, e))
    for name, config in (
        ("10^9 blocks", {"num_layers": 10**9, "num_heads": 2, "mlp_dim": 8}),
        ("10^6 heads", {"num_layers": 1, "num_heads": 10**6, "mlp_dim": 8}),
        ("an MLP of 10^12", {"num_layers": 1, "num_heads": 1, "mlp_dim": 10**12}),
    ):
        entry = {
            "module": "keras_vit.layers.transformer_encoder", "class_name": "TransformerEncoder",
            "registered_name": "keras_vit>TransformerEncoder", "config": config,
        }  # fmt: skip
        yield _case(kind, name, lambda p, e=entry: _inserted(p, e, after="Flatten"))
    for shape in ((10**6, 10**6, 1), (10**12, 8, 1), (2**31, 2**31, 3)):
        yield _case(kind, f"image of {shape}", lambda p, s=shape: _input(p, s))
    yield _case(kind, "100,000 layers", lambda p: _inserted(p, *_many(100_000)))


def _parts(place):
    with zipfile.ZipFile(io.BytesIO(place.good["keras"])) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zip(parts):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _with(place, name, content):
    return _zip({**_parts(place), name: content})


def _without(place, name):
    return _zip({key: content for key, content in _parts(place).items() if key != name})


def _appended(place, name, content):
    buffer = io.BytesIO(_zip(_parts(place)))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def _configured(place, change):
    config = json.loads(_parts(place)[CONFIG])
    change(config["config"]["layers"])
    return _with(place, CONFIG, json.dumps(config).encode())


def _dense(place, field, value):
    """Changes a field of the last layer."""
    return _configured(place, lambda layers: layers[-1]["config"].__setitem__(field, value))


def _inserted(place, *entries, after="InputLayer"):
    """Puts layers after the first one of a class."""

    def change(layers):
        index = next(i for i, layer in enumerate(layers) if layer["class_name"] == after)
        layers[index + 1 : index + 1] = [
            {"registered_name": None, **copy.deepcopy(entry)} for entry in entries
        ]

    return _configured(place, change)


def _input(place, shape):
    return _configured(place, lambda layers: layers[0]["config"].update(batch_shape=[None, *shape]))


def _wrapped(entry):
    inner = {"registered_name": None, **copy.deepcopy(entry)}
    return {
        "module": "keras.layers",
        "class_name": "TimeDistributed",
        "config": {"name": "w", "layer": inner},
    }


def _many(count):
    entry = {"module": "keras.layers", "class_name": "Activation", "config": {"activation": "relu"}}
    return [entry] * count


def _code_object(place):
    import keras

    sentinel = str(place.sentinel)
    function = lambda x: (__import__("os").makedirs(sentinel, exist_ok=True), x)[1]  # noqa: E731
    layer = keras.layers.Lambda(function)
    return keras.saving.serialize_keras_object(layer)["config"]["function"]


def _lambda(place):
    config = {"name": "evil", "function": _code_object(place), "arguments": {}}
    return {"module": "keras.layers", "class_name": "Lambda", "config": config}


def _torch(place):
    content = base64.b64encode(pickle.dumps(Trap(place.sentinel))).decode()
    return {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {"module": content}}


def _edited(place, change):
    buffer = io.BytesIO(_parts(place)[WEIGHTS])
    with h5py.File(buffer, "a") as file:
        change(file)
    return buffer.getvalue()


def _arrays(file):
    found = []
    file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    return found


def _fill(file, value):
    file[_arrays(file)[0]][...] = value


def _replace(file, **options):
    name = _arrays(file)[0]
    del file[name]
    if options:
        file.create_dataset(name, **options)
    else:
        file.create_group(name)


def _link(file, link):
    name = _arrays(file)[0]
    del file[name]
    file[name] = link


def _virtual(file):
    name = _arrays(file)[0]
    layout = h5py.VirtualLayout(shape=(9,), dtype="u1")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", shape=(9,))
    del file[name]
    file.create_virtual_dataset(name, layout)
