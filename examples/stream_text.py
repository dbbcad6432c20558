"""Streams a text from an exported character model, with ai-edge-litert and numpy only.

    pip install ai-edge-litert numpy
    python examples/stream_text.py runs/names/export/model_dynamic_int8.tflite --prefix tyr --temperature 0.8

A seed produces the same text as `keras-vit generate FILE --num 1`.
"""

import argparse
import json
import zipfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("file", metavar="FILE.tflite")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--top-k", type=int, metavar="K")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--length",
        type=int,
        default=200,
        help="maximum number of characters (default: %(default)s)",
    )
    options = vars(parser.parse_args())
    print(options["prefix"], end="")
    for character in stream(options.pop("file"), **options):
        print(character, end="", flush=True)
    print()


def stream(file, prefix="", temperature=1.0, top_k=None, seed=0, length=200):
    """Yields the characters of one text after its prefix."""
    text = read_description(file)
    characters = text["characters"]
    read = reader(file)
    random = np.random.default_rng((seed, 0))
    # every text starts with a newline
    tokens = [
        0,
        *(characters.index(character) for character in prefix),
    ]
    for token in tokens:
        logits = read(token)
    for _ in range(length - len(prefix)):
        noise = random.gumbel(size=len(logits)).astype("float32")
        token = sample(logits[: len(characters)] / temperature, noise, top_k)
        if token == 0 and text["lines"]:
            return
        yield characters[token]
        logits = read(token)


def read_description(file):
    """Reads the vocabulary from the archive appended to the model."""
    with zipfile.ZipFile(file) as archive:
        return json.loads(archive.read("text.json"))


def reader(file):
    """Returns a function from one token to the logits of the next."""
    step = Interpreter(file).get_signature_runner("step")
    states = {
        name: np.zeros(tensor["shape"], tensor["dtype"])
        for name, tensor in step.get_input_details().items()
        if name.startswith("state_")
    }

    def read(token):
        after = step(token=np.array([token], "int32"), **states)
        logits = after.pop("logits")[0]
        states.update(after)
        return logits.astype("float64")

    return read


def sample(logits, noise, top_k):
    """Returns the token with the largest sum of logit and noise among the `top_k` most likely."""
    allowed = np.argsort(-logits, kind="stable")[:top_k]
    return int(allowed[np.argmax(logits[allowed] + noise[allowed])])


if __name__ == "__main__":
    main()
