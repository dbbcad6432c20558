"""The characters in the vocabulary of a text model, and their tokens."""

import dataclasses
from collections import Counter
from collections.abc import Iterable

import numpy as np

from keras_vit.errors import InputError, listed
from keras_vit.io.json_files import read_json, write_json

BOUNDARY = "\n"  # begins and ends an item; token 0
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"  # how an unknown character is written


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """Characters as tokens: a newline is 0, the others follow in the order of their code points.

    `unknown` is `"error"`, or `"unk"` for one more token, the last, for all other characters.
    """

    characters: str
    unknown: str = "error"

    def __len__(self):
        return len(self.characters) + (self.unknown == "unk")

    @property
    def symbols(self):
        """A printable name for each token: `"\\\\n"` for the newline, `"<unk>"` for the unknown."""
        names = [repr(c)[1:-1] for c in self.characters]
        return [*names, "<unk>"] if self.unknown == "unk" else names

    @property
    def unknown_token(self):
        """The token of unknown characters, or None."""
        return len(self.characters) if self.unknown == "unk" else None

    def encode(self, text: str, name: str = "The text") -> np.ndarray:
        """Returns the tokens of a text, int32 `(length,)`, or an InputError for characters without one."""
        numbers = {character: number for number, character in enumerate(self.characters)}
        unseen = sorted(set(text) - set(numbers))
        if unseen and self.unknown == "error":
            raise InputError(
                f"{name} has characters that the model has not seen: {quoted(unseen)}. It knows "
                f"{quoted(self.characters[1:])}. Leave them out, or train with unknown=unk."
            )
        return np.array([numbers.get(c, self.unknown_token) for c in text], dtype="int32")

    def decode(self, tokens: Iterable[int]) -> str:
        """Returns the text of tokens; an unknown character is written U+FFFD."""
        known = self.characters + REPLACEMENT
        return "".join(known[token] for token in tokens)

    def save(self, path):
        """Writes the vocabulary as JSON."""
        write_json(path, dataclasses.asdict(self))

    @classmethod
    def load(cls, path) -> "Vocabulary":
        """Reads what `save` wrote."""
        return cls.parse(read_json(path), path)

    @classmethod
    def parse(cls, document, name) -> "Vocabulary":
        """Checks the parsed JSON that `save` wrote, which errors call `name`."""
        fields = document if isinstance(document, dict) else {}
        characters, unknown = fields.get("characters"), fields.get("unknown")
        valid = (
            set(fields) == {"characters", "unknown"}
            and isinstance(characters, str)
            and characters.startswith(BOUNDARY)
            and len(set(characters)) == len(characters)
            and not any(0xD800 <= ord(character) < 0xE000 for character in characters)  # surrogates
            and unknown in ("error", "unk")
        )
        if not valid:
            raise InputError(
                f"Expected a vocabulary in {name}: different characters, a newline first, and unknown."
            )
        return cls(characters, unknown)


def build_vocabulary(texts: Iterable[str], unknown: str = "error") -> Vocabulary:
    """Returns the vocabulary of a training split.

    With `unknown="unk"` a character that occurs once counts as unknown, so that its token is trained.
    """
    counts = Counter()
    for text in texts:
        counts.update(text)
    least = 2 if unknown == "unk" else 1
    known = sorted(c for c, count in counts.items() if count >= least and c != BOUNDARY)
    return Vocabulary("".join([BOUNDARY, *known]), unknown)


def quoted(characters):
    """Returns characters as a message shows them."""
    return listed(map(repr, characters), 40)
