"""Texts about a model that its file carries for people."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Card:
    """Texts for people who open the file; an empty one is left out."""

    name: str  # of the model
    description: str = ""  # such as a summary of its training
    version: str = ""
    author: str = ""
    license: str = ""  # such as "Apache-2.0"
