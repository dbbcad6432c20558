"""Bad `.npz` files."""

import io
import os
import pickle
import zipfile

import numpy as np
from hostile_case import Case, cut, flipped


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, sentinel):
        self.sentinel = sentinel

    def __reduce__(self):
        return os.mkdir, (str(self.sentinel),)


def arrays():
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (60, 4, 4, 3), dtype=np.uint8)
    return {"images": images, "labels": np.arange(60) % 3, "label_names": np.array(["cat", "dog", "owl"])}


def packed(contents, save=np.savez, **options):
    buffer = io.BytesIO()
    save(buffer, **contents, **options)
    return buffer.getvalue()


def same_data(result, good):
    """Rule of success: the data are those of the intact file."""
    return result == good


def cases():
    for name, content in _contents():
        yield _case(name, lambda place, content=content: place.put("x.npz", content))
    for name, contents in _arrays():
        yield _case(name, lambda place, contents=contents: place.put("x.npz", packed(contents)))
    yield from _pickles()
    for save in (np.savez, np.savez_compressed):
        content = packed(arrays(), save)
        for share in (0.0, 0.01, 0.2, 0.5, 0.8, 0.99, -1):
            yield _damaged(f"{save.__name__} cut {share}", cut(content, share))
        for seed in range(15):
            yield _damaged(f"{save.__name__} flipped {seed}", flipped(content, seed, 1 + seed % 2))


def _case(name, write, **rule):
    return Case("npz", f"npz {name}", "npz", write, **rule)


def _damaged(name, content):
    return _case(name, lambda place: place.put("x.npz", content), allowed=same_data)


def _contents():
    yield "empty", b""
    yield "text", b"images, labels\n1, 2\n"
    yield "noise", np.random.default_rng(0).bytes(5000)
    yield "empty archive", _zip({})
    single = io.BytesIO()
    np.save(single, arrays()["images"])
    yield "single array", single.getvalue()
    for name, shape in {
        "10^12 images": (10**12, 4, 4, 3),
        "images of 10^9 pixels": (60, 10**5, 10**4, 3),
        "overflowing shape": (2**33, 2**31, 1, 1),
        "negative shape": (-60, 4, 4, 3),
        "shape of huge numbers": (10**40, 4, 4, 3),
        "no images but pixels": (10**15, 0, 4, 3),
        "10 GB": (10**7, 1000, 1, 1),
    }.items():
        yield name, _with_header(f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}")
    for name, header in {
        "code in header": "__import__('os').mkdir('sprung')",
        "call in header": "{'descr': open('sprung','w'), 'fortran_order': False, 'shape': (1,), }",
        "empty header": "",
        "list as header": "[1, 2]",
        "deep header": "(" * 5000,
        "unknown dtype": "{'descr': 'evil', 'fortran_order': False, 'shape': (60,), }",
        "object dtype": "{'descr': '|O', 'fortran_order': False, 'shape': (60,), }",
        "void dtype": "{'descr': '|V9', 'fortran_order': False, 'shape': (60,4,4,3), }",
        "text of 2 GB": "{'descr': '<U500000000', 'fortran_order': False, 'shape': (1,), }",
        "endless header": "{'descr': '|u1', " + " " * 60_000,
    }.items():
        yield name, _with_header(header)
    empty_names = "{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000,), }"
    yield "10^9 empty names", _with_header(empty_names, member="label_names.npy")
    for name in ("../images.npy", "/tmp/images.npy", "a/../../images.npy", "..\\images.npy"):
        yield f"member {name}", packed_with(name, b"x")
    yield "member that is no array", packed_with("notes.txt", b"x")
    yield "array without its ending", packed_with("label_names2", b"x")
    yield "zip bomb", lambda: packed_with("x_test.npy", bytes(400 * 1024**2))
    yield "bomb of labels", lambda: packed_with("labels.npy", bytes(400 * 1024**2))
    yield "20,000 members", lambda: _zip({f"{n}.npy": b"" for n in range(20_000)})
    yield "encrypted", _flagged(packed(arrays()), 6, 1)
    yield "unknown compression", _flagged(packed(arrays()), 8, 77)


def _arrays():
    good = arrays()
    images, labels = good["images"], good["labels"]

    def pixel(value, dtype="float32"):
        changed = images.astype(dtype)
        changed[7, 1, 2, 0] = value
        return {**good, "images": changed}

    yield "nan", pixel(np.nan)
    yield "infinity", pixel(np.inf)
    yield "minus infinity", pixel(-np.inf, "float64")
    yield "negative pixels", pixel(-5, "int16")
    yield "pixels past 255", pixel(300, "int32")
    yield "scaled to one", {**good, "images": images / 255}
    yield "complex pixels", {**good, "images": images.astype("complex64")}
    yield "boolean pixels", {**good, "images": images > 9}
    yield "text as pixels", {**good, "images": images.astype("U3")}
    yield "dates as pixels", {**good, "images": images.astype("datetime64[s]")}
    yield "records as pixels", {**good, "images": np.zeros(60, [("a", "u1"), ("b", "f4")])}
    yield "flat images", {**good, "images": images.reshape(60, -1)}
    yield "five axes", {**good, "images": images[:, None]}
    yield "a number as images", {**good, "images": np.uint8(3)}
    yield "no images", {**good, "images": images[:0], "labels": labels[:0]}
    yield "no pixels", {**good, "images": images[:, :0]}
    yield "no channels", {**good, "images": images[..., :0]}
    yield "fewer labels", {**good, "labels": labels[:-1]}
    yield "more labels", {**good, "labels": np.arange(70) % 3}
    yield "float labels", {**good, "labels": labels * 1.0}
    yield "nan labels", {**good, "labels": np.where(labels == 1, np.nan, labels)}
    yield "labels that all images have", {**good, "labels": np.ones((60, 3), int)}
    yield "negative labels", {**good, "labels": labels - 1}
    yield "huge labels", {**good, "labels": labels * 10**12}
    yield "labels past the names", {**good, "labels": labels + 1}
    yield "boolean labels", {**good, "labels": labels > 0}
    yield "text labels", {**good, "labels": np.array(["cat"] * 60)}
    yield "one class", {"images": images, "labels": np.zeros(60, int)}
    yield "class without images", {**good, "label_names": np.array(["cat", "dog", "owl", "yak"])}
    yield "names repeat", {**good, "label_names": np.array(["cat", "cat", "owl"])}
    yield "numbers as names", {**good, "label_names": np.arange(3)}
    yield "name of two lines", {**good, "label_names": np.array(["cat", "dog\nowl", "yak"])}
    yield "name that clears the screen", {**good, "label_names": np.array(["cat", "\x1b[2J", "yak"])}
    yield "empty name", {**good, "label_names": np.array(["cat", "", "yak"])}
    yield "labels missing", {"images": images}
    yield "images missing", {"labels": labels}
    yield "foreign names", {"x": images, "y": labels}
    yield "half a test split", {"x_train": images, "y_train": labels, "x_test": images}
    yield "both forms", {**good, "x_train": images, "y_train": labels}
    yield "empty test split", {
        "x_train": images, "y_train": labels, "x_test": images[:0], "y_test": labels[:0]
    }  # fmt: skip
    yield "test split of another shape", {
        "x_train": images, "y_train": labels, "x_test": images[:, :2], "y_test": labels
    }  # fmt: skip
    yield "too few to split", {"images": images[:3], "labels": labels[:3]}


def _pickles():
    def trapped(member):
        def write(place):
            trap = np.array([Trap(place.sentinel)] * 60, object)
            return place.put("x.npz", packed({**arrays(), member: trap}))

        return write

    for member in arrays():
        yield _case(f"pickle as {member}", trapped(member))
    yield _case("pickle", lambda place: place.put("x.npz", pickle.dumps(Trap(place.sentinel))))
    yield _case(
        "pickle in a zip",
        lambda place: place.put("x.npz", packed_with("x_test.npy", pickle.dumps(Trap(place.sentinel)))),
    )


def _members():
    with zipfile.ZipFile(io.BytesIO(packed(arrays()))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed_with(name, content):
    """A good archive with a member more."""
    return _zip({**_members(), name: content})


def _with_header(header, member="images.npy"):
    text = header.encode().ljust(118) + b"\n"
    start = b"\x93NUMPY\x02\x00" + len(text).to_bytes(4, "little")
    return _zip({**_members(), member: start + text + bytes(2880)})


def _zip(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _flagged(content, offset, value):
    """Changes a 16-bit field of every header; it is two bytes later in the central directory."""
    changed = bytearray(content)
    for mark, shift in ((b"PK\3\4", 0), (b"PK\1\2", 2)):
        place = changed.find(mark)
        while place >= 0:
            changed[place + offset + shift : place + offset + shift + 2] = value.to_bytes(2, "little")
            place = changed.find(mark, place + 4)
    return bytes(changed)
