"""Bad `.tflite` files."""

import gzip
import hashlib
import json
import random

from hostile_case import Case, cut, flipped


def answers(result, good):
    """Rule of success: the format has no checksum; anything that returns probabilities is another model.

    `load_predictor` refuses what does not, so that a Predictor is all that has to be seen.
    """
    return type(result) is type(good)


def cases():
    def case(name, damage, **rule):
        return Case("tflite", f"tflite {name}", "tflite", _damaged(damage), **rule)

    for share in (0.0, 0.0001, 0.01, 0.2, 0.5, 0.8, 0.97):
        yield case(f"cut {share}", lambda content, share=share: cut(content, share))
    for name, content in {
        "text": b"no model at all, but a text\n" * 9,
        "only its mark": b"\x1c\0\0\0TFL3",
        "mark and noise": b"\x1c\0\0\0TFL3" + random.Random(0).randbytes(9000),
        "mark and zeros": b"\x1c\0\0\0TFL3" + bytes(9000),
        "mark and ones": b"\x1c\0\0\0TFL3" + b"\xff" * 9000,
        "other flatbuffer": b"\x1c\0\0\0ARCH" + bytes(900),
    }.items():
        yield case(name, lambda _, content=content: content)
    yield case("compressed", gzip.compress)
    yield case("wrong identifier", lambda content: content[:4] + b"TFL2" + content[8:])
    yield case("text before it", lambda content: b"\n" + content)
    for seed in range(14):
        yield case(f"flipped {seed}", lambda content, s=seed: flipped(content, s, 1 + s % 8), allowed=answers)
    for seed in range(14):
        yield case(f"offsets {seed}", lambda content, s=seed: _words(content, s), allowed=answers)
    for seed in range(12):
        damage = _with_intact_record(lambda content, seed=seed: flipped(content, 50 + seed))
        yield Case("tflite, recorded", f"tflite recorded, flipped {seed}", "tflite", damage)
    for share in (0.3, -1, -40):
        damage = _with_intact_record(lambda content, share=share: cut(content, share))
        yield Case("tflite, recorded", f"tflite recorded, cut {share}", "tflite", damage)


def _damaged(damage):
    return lambda place: place.put("m.tflite", damage(place.good["tflite"]))


def _with_intact_record(damage):
    """Damage of a file whose record is intact, as after an interrupted copy."""

    def write(place):
        content = place.good["tflite"]
        row = {"file": "m.tflite", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        place.put("export.json", json.dumps({"variants": [row]}))
        return place.put("m.tflite", damage(content))

    return write


def _words(content, seed):
    """Offsets and lengths of the flatbuffer's tables, which are not next to the weights, become huge."""
    generator, changed = random.Random(seed), bytearray(content)
    for _ in range(3):
        place = 4 * generator.randrange(2, len(content) // 8) + generator.choice((0, len(content) // 8 * 4))
        value = generator.choice((0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 0x10000, len(content)))
        changed[place : place + 4] = value.to_bytes(4, "little")
    return bytes(changed)
