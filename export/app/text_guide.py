"""`app.md` of a character model."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

from keras_vit.export.app.guide import HEADINGS, chosen_file, files_table, litert, no_files
from keras_vit.export.app.template import filled
from keras_vit.export.text.description import TextDescription
from keras_vit.export.tflite.graph import read_graph, type_name
from keras_vit.io import markdown


def text_guide(name: str, files: Sequence[tuple[dict, Path]], description: TextDescription) -> str:
    """Returns the text of `app.md` for a character model with these exported files, as `app_guide`."""
    if not files:
        return no_files(name)
    row, path = chosen_file(files)
    signatures = _signatures(path)
    states = [end for end in signatures["step"] if end[0].startswith("state_")]
    size = len(description.vocabulary)
    count = dict((name, shape) for name, _, shape in signatures["generate"])["noise"][1]
    parts = [f"# {name} in an app", files_table(files, row), _facts(description, signatures, size, count)]
    values = {
        "FILE": row["file"],
        "STEM": row["file"].removesuffix(".tflite"),
        "CHARACTERS": json.dumps(description.vocabulary.characters).replace("$", "\\u0024"),
        "SIZE": size,
        "COUNT": count,
    }
    for language in HEADINGS:
        own = {**values, "STATES": "\n".join(_STATES[language](*state) for state in states)}
        if language == "kotlin":  # whose older versions take no comma at the end
            own["STATES"] = own["STATES"].removesuffix(",")
        own["LINES"] = str(description.lines) if language == "python" else str(description.lines).lower()
        parts += litert(language, filled(f"{language}_text", **own))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _signatures(path):
    """The inputs of each signature of a file: names, types and shapes."""
    model = read_graph(path.read_bytes())
    found = {}
    for signature in model.signatureDefs:
        graph = model.subgraphs[signature.subgraphIndex]
        found[signature.signatureKey.decode()] = [
            (entry.name.decode(), type_name(tensor).lower(), tuple(map(int, tensor.shape)))
            for entry, tensor in ((entry, graph.tensors[entry.tensorIndex]) for entry in signature.inputs)
        ]
    return found


def _facts(description, signatures, size, count):
    rows = [
        (f"`{key}`", ", ".join(f"`{n}` {kind} {list(shape)}" for n, kind, shape in sorted(ends)))
        for key, ends in signatures.items()
    ]
    unknown = (
        " The last token stands for all other characters, and must not be drawn."
        if description.vocabulary.unknown_token is not None
        else " A character that is not among them has no token: refuse the text."
    )
    ends = " Each text is one line: drawing token 0 ends it." if description.lines else ""
    return (
        "## What goes in and comes out\n\n"
        f"Tokens are places in `characters` of `{description.file}` ({size} tokens). A text begins with "
        f"token 0, the newline.{unknown}{ends}\n\n{markdown.table(('signature', 'inputs'), rows)}\n\n"
        f"- `score` returns `logits` of what follows each of {description.window} tokens.\n"
        f"- `step` reads one token, with the states that it returned for the one before, zeros at the start. "
        f"It returns `logits` [1, {size}] of what follows, and the states.\n"
        f"- `generate` draws {count} tokens: of noise `-ln(-ln(u))` with u between 0 and 1, a temperature "
        f"above 0, and from the `top_k` likeliest ({size} for all). Its token has been drawn but not read. "
        "It returns `tokens`, and the states after all but the last.\n\n"
        "The lines below write a text by `step`."
    )


_STATES = {
    "kotlin": lambda name, kind, shape: (
        f'"{name}" to {{ state: TensorBuffer -> '
        f"state.write{_KINDS[kind]}({_KINDS[kind]}Array({math.prod(shape)})) }},"
    ),
    "swift": lambda name, kind, shape: (
        f'"{name}": Data(count: {4 * math.prod(shape)}),  // {kind} {list(shape)}'
    ),
    "javascript": lambda name, kind, shape: (
        f"{name}: new Tensor(new {_ARRAYS[kind]}({math.prod(shape)}), {list(shape)}),"
    ),
    "python": lambda name, kind, shape: f'"{name}": np.zeros({shape}, "{kind}"),',
}
_KINDS = {"float32": "Float", "int32": "Int"}
_ARRAYS = {"float32": "Float32Array", "int32": "Int32Array"}
