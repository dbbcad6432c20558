"""Bad recipes, export records and lists of labels."""

import json

from hostile_case import Case, cut, flipped

MANY = 100_000


def cases():
    yield from _recipes()
    yield from _records()
    yield from _labels()


def still_a_recipe(result, good):
    """Rule of success: text has no checksum; another value in the range of its field is a recipe."""
    return type(result) is type(good)


def same_recipe(result, good):
    return result == good


def json_damage(document):
    """Text that is not JSON, or JSON with invalid values."""
    text = json.dumps(document)
    yield "empty", ""
    yield "blank", " \n"
    yield "no json", "epochs: 3\nmodel: vit\n"
    yield "null", "null"
    yield "a number", "1e5"
    yield "a text", '"vit"'
    yield "a list", "[]"
    yield "an empty object", "{}"
    yield "deep lists", "[" * MANY + "]" * MANY
    yield "deep objects", '{"a":' * MANY + "1" + "}" * MANY
    yield "deep inside", text[:-1] + ', "deep": ' + "[" * MANY + "]" * MANY + "}"
    yield "bytes that are no text", b"\xff\xfe\xfa" + text.encode()
    yield "utf-16", text.encode("utf-16")
    yield "null bytes", bytes(len(text))
    yield "twice", text + text
    yield "comments", "// mine\n" + text
    yield "trailing comma", text[:-1] + ",}"
    yield "python", str(document)
    yield "code", "__import__('os').mkdir('sprung')"
    yield "40 MB", json.dumps({"a": "x" * 40_000_000})
    for share in (0.1, 0.4, 0.7, 0.95, -1):
        yield f"cut {share}", cut(text, share)


def _recipes():
    from keras_vit.training.recipe import TextRecipe

    fields = {"data": "digits", "epochs": 3, "learning_rate": 0.001, "seed": 0}
    document = {"recipe": fields, "versions": {"keras": "3"}}
    for name, content in json_damage(document):
        yield _recipe(name, content)
    for name, value in {
        "no object": [1],
        "null": None,
        "text": "vit",
    }.items():
        yield _recipe(f"recipe is {name}", json.dumps({"recipe": value}))
    for field, value in (
        ("epochs", "3"), ("epochs", 3.5), ("epochs", True), ("epochs", 0), ("epochs", -1), ("epochs", 10**30),
        ("epochs", None), ("epochs", [3]), ("learning_rate", "0.1"), ("learning_rate", -1.0),
        ("learning_rate", 10**400), ("image_size", 10**9), ("image_size", 2**31), ("batch_size", 0),
        ("seed", -1), ("seed", 2**64), ("data", 5), ("data", None), ("data", {"a": 1}), ("model", 3),
        ("optimizer", "os.system"), ("precision", "float8"), ("steps_per_execution", 0), ("flip", 1),
        ("flip", "true"), ("label_smoothing", 2), ("validation_fraction", 1.5), ("warmup_fraction", -1),
        ("speed", 3), ("__class__", "x"), ("__dict__", {}), ("self", 1), ("", 1), ("Epochs", 3),
        ("mixup_alpha", -1.0), ("erasing_rate", 3.0), ("randaugment_magnitude", -4.0), ("crop_padding", -1),
        ("randaugment_layers", 10**9),
    ):  # fmt: skip
        yield _recipe(f"{field}={str(value)[:20]}", json.dumps({"recipe": {**fields, field: value}}))
    for name, value in {
        "nan": "NaN",
        "infinity": "Infinity",
        "overflow": "1e999",
        "5,000 digits": "9" * 5000,
        "minus infinity": "-Infinity",
    }.items():
        for field in ("learning_rate", "mixup_alpha"):
            yield _recipe(f"{field} is {name}", f'{{"recipe": {{"{field}": {value}}}}}')
    yield _recipe("field twice", '{"recipe": {"epochs": 3, "epochs": 4}}')
    yield _recipe("recipe twice", '{"recipe": {"epochs": 3}, "recipe": {}}')
    yield _recipe("500,000 fields", json.dumps({"recipe": {f"f{n}": n for n in range(500_000)}}))
    for seed in range(15):
        yield _recipe(f"flipped {seed}", flipped(json.dumps(document).encode(), seed), still_a_recipe)
    whole = {"recipe": TextRecipe().as_dict()}
    for seed in range(10):
        changed = flipped(json.dumps(whole).encode(), 100 + seed, 3)
        yield _recipe(f"whole flipped {seed}", changed, still_a_recipe)


def _recipe(name, content, allowed=None):
    rule = {"allowed": allowed} if allowed else {}
    write = lambda place: place.put("recipe.json", content)  # noqa: E731
    return Case("recipe.json", f"recipe {name}", "recipe", write, **rule)


def _records():
    row = {"variant": "fp32", "file": "m.tflite", "passed": True}
    for name, content in json_damage({"variants": [row]}):
        yield _record(name, content)
    for name, value in {
        "variants is a number": {"variants": 3},
        "variants is null": {"variants": None},
        "rows are lists": {"variants": [["m.tflite"]]},
        "rows are texts": {"variants": ["m.tflite"]},
        "rows without file": {"variants": [{"variant": "fp32"}]},
        "file is a list": {"variants": [{**row, "file": ["m.tflite"]}]},
        "another size": {"variants": [{**row, "size": 3}]},
        "size is a text": {"variants": [{**row, "size": "large"}]},
        "another checksum": {"variants": [{**row, "sha256": "0" * 64}]},
        "checksum is a number": {"variants": [{**row, "sha256": 5}]},
    }.items():
        yield _record(name, json.dumps(value))


def _record(name, content):
    def write(place):
        place.put("export.json", content)
        return place.put("m.tflite", place.good["tflite"])

    return Case("export.json", f"export.json {name}", "tflite", write)


def _labels():
    names = [f"digit {n}" for n in range(10)]
    text = "\n".join(names) + "\n"
    for name, content in {
        "empty": "",
        "blank": "\n",
        "one too few": "\n".join(names[:-1]),
        "one too many": text + "digit 10\n",
        "twice the same": "\n".join([*names[:-1], names[0]]),
        "an empty line": text.replace("digit 4", ""),
        "a blank line": text.replace("digit 4", "   "),
        "latin-1": text.replace("digit 4", "dög").encode("latin-1"),
        "utf-16": text.encode("utf-16"),
        "noise": bytes(range(256)) * 4,
        "null bytes": text.replace(" ", "\0"),
        "terminal codes": text.replace("digit 4", "\x1b[2Jdigit"),
        "line separators": text.replace("digit 4", "dig\u2028it"),
        "only carriage returns": text.replace("\n", "\r"),
        "form feeds": text.replace("digit 4", "dig\x0cit"),
        "20 MB": "x" * 20_000_000,
        "500,000 lines": "".join(f"{n}\n" for n in range(500_000)),
    }.items():
        for reader, file in (("keras", "m.keras"), ("tflite", "m.tflite")):
            yield _label_case(name, content, reader, file)


def _label_case(name, content, reader, file):
    def write(place):
        place.put("labels.txt", content)
        return place.put(file, place.good[reader])

    return Case("labels.txt", f"labels next to {file}: {name}", f"predictor {reader}", write)
