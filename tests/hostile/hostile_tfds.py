"""Bad prepared sets of TensorFlow Datasets."""

import functools
import json
import tempfile
from pathlib import Path

import numpy as np
from hostile_case import Case, cut, flipped
from hostile_texts import json_damage

FOLDER = "hostile_photos/1.0.0"
RECORD = "hostile_photos-train.tfrecord-00000-of-00001"


@functools.cache
def prepared():
    """Returns the files of a good set, a dict from name to bytes; TFDS then finds it by its name."""
    import tensorflow_datasets as tfds

    class HostilePhotos(tfds.core.GeneratorBasedBuilder):
        pkg_dir_path = Path(__file__).parent  # where TFDS looks for its metadata
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            image = tfds.features.Image(shape=(None, None, 3))
            label = tfds.features.ClassLabel(names=["dark", "light"])
            features = tfds.features.FeaturesDict({"image": image, "label": label})
            return self.dataset_info_from_configs(features=features)

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for index in range(24):
                pixels = np.full((8, 8, 3), index % 2 * 200 + index, np.uint8)
                yield index, {"image": pixels, "label": index % 2}

    with tempfile.TemporaryDirectory() as folder:
        HostilePhotos(data_dir=folder).download_and_prepare()
        files = Path(folder, FOLDER).iterdir()
        return {path.name: path.read_bytes() for path in files}


def sizes(result, good):
    """Rule of success: text without a checksum, whose fields still fit the records."""
    return len(result.train) + len(result.validation) + len(result.test) == 24


def cases():
    for share in (0.0, 0.01, 0.3, 0.8, -1, -20):
        yield _damaged(f"records cut {share}", RECORD, lambda c, s=share: cut(c, s))
    for seed in range(8):
        yield _damaged(f"records flipped {seed}", RECORD, lambda c, s=seed: flipped(c, s))
    yield _damaged("records of text", RECORD, lambda _: b"no records\n" * 40)
    yield _damaged("records twice", RECORD, lambda c: c + c)
    yield _damaged("length of 2^63", RECORD, lambda c: b"\xff" * 7 + b"\x7f" + c[8:])
    yield _case("records missing", {RECORD: None})
    for file in ("dataset_info.json", "features.json"):
        for name, content in json_damage({"name": "hostile_photos", "version": "1.0.0"}):
            content = content.encode() if isinstance(content, str) else content
            # TFDS takes the features from its own code, and rewrites the rest where it can.
            rule = sizes if file == "features.json" else None
            yield _case(f"{file} {name}", {file: content}, rule)
    for name, change in {
        "more examples": lambda info: info["splits"][0].update(shardLengths=["10000"]),
        "10^15 examples": lambda info: info["splits"][0].update(shardLengths=[str(10**15)]),
        "fewer examples": lambda info: info["splits"][0].update(shardLengths=["3"]),
        "negative examples": lambda info: info["splits"][0].update(shardLengths=["-5"]),
        "no splits": lambda info: info.update(splits=[]),
        "a split elsewhere": lambda info: info["splits"][0].update(filepathTemplate="../../../../etc/passwd"),
        "split of another name": lambda info: info["splits"][0].update(name="evil"),
        "10^6 shards": lambda info: info["splits"][0].update(shardLengths=["1"] * 10**6),
        "another version": lambda info: info.update(version="9.9.9"),
        "another format": lambda info: info.update(fileFormat="evil"),
    }.items():
        yield _damaged(f"info {name}", "dataset_info.json", functools.partial(_edited, change=change), sizes)

    def empty(place):
        (place.folder / FOLDER).mkdir(parents=True)
        return place.folder

    def file(place):
        return place.put("hostile_photos", b"x").parent

    yield Case("tfds folder", "tfds folder empty", "tfds", empty)
    yield Case("tfds folder", "tfds folder a file", "tfds", file)


def _edited(content, change):
    info = json.loads(content)
    change(info)
    return json.dumps(info).encode()


def _damaged(name, file, damage, allowed=None):
    def write(place):
        return _written(place, {file: damage(prepared()[file])})

    return Case("tfds folder", f"tfds {name}", "tfds", write, **({"allowed": allowed} if allowed else {}))


def _case(name, changes, allowed=None):
    rule = {"allowed": allowed} if allowed else {}
    return Case("tfds folder", f"tfds {name}", "tfds", lambda place: _written(place, changes), **rule)


def _written(place, changes):
    for name, content in {**prepared(), **changes}.items():
        if content is not None:
            place.put(f"{FOLDER}/{name}", content)
    return place.folder
