"""Writes the tables of TFLite's metadata schema, as far as an image classifier needs them.

The schema is published with MediaPipe (`metadata_schema.fbs`, version 1.5.0). Its Python writer needs parts
that the package lacks. Fields are numbered as in the schema.
"""

import dataclasses

import flatbuffers

IDENTIFIER = b"M001"
MIN_PARSER_VERSION = "1.0.0"  # nothing here is newer
IMAGE, NORMALIZATION, UNKNOWN, RGB, AXIS_LABELS = 2, 1, 0, 1, 2  # numbers in the schema's enumerations


@dataclasses.dataclass(frozen=True)
class Card:
    """Texts about a model for people who open its file; an empty one is left out."""

    name: str  # of the model
    description: str = ""  # such as a summary of its training
    version: str = ""
    author: str = ""
    license: str = ""  # such as "Apache-2.0"


class Tables:
    """A builder whose methods write a table, or a vector or text for one, and return its offset."""

    def __init__(self):
        self.builder = flatbuffers.Builder(1024)

    def text(self, value):
        return self.builder.CreateString(value)

    def floats(self, values):
        self.builder.StartVector(4, len(values), 4)
        for value in reversed(values):
            self.builder.PrependFloat32(value)
        return self.builder.EndVector()

    def vector(self, places):
        self.builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            self.builder.PrependUOffsetTRelative(place)
        return self.builder.EndVector()

    def table(self, num_fields, references=None, bytes_=None, numbers=None):
        """Writes a table of fields by number: references to what was written before, bytes, and uint32."""
        self.builder.StartObject(num_fields)
        for slot, place in (references or {}).items():
            self.builder.PrependUOffsetTRelativeSlot(slot, place, 0)
        for slot, number in (numbers or {}).items():
            self.builder.PrependUint32Slot(slot, number, 0)
        for slot, number in (bytes_ or {}).items():
            self.builder.PrependUint8Slot(slot, number, 0)
        return self.builder.EndObject()

    def finished(self, root):
        self.builder.Finish(root, IDENTIFIER)
        return bytes(self.builder.Output())

    def image(self, height, width, color_space):
        """`Content` of an image; the size is that of the tensor."""
        size = self.table(2, numbers={0: width, 1: height})
        image = self.table(2, references={1: size}, bytes_={0: color_space})
        return self.table(3, references={1: image}, bytes_={0: IMAGE})

    def no_normalization(self):
        """`ProcessUnit`s with which an app passes the pixels unchanged, in [0, 255]."""
        options = self.table(2, references={0: self.floats([0.0]), 1: self.floats([1.0])})
        return self.vector([self.table(2, references={1: options}, bytes_={0: NORMALIZATION})])

    def range_of_pixels(self):
        return self.table(2, references={0: self.floats([255.0]), 1: self.floats([0.0])})

    def labels(self, file):
        """`AssociatedFile`s: the file of the labels, one for each number of the tensor's last axis."""
        name = self.text(file)
        return self.vector([self.table(5, references={0: name}, bytes_={2: AXIS_LABELS})])

    def tensor(self, name, description, **references):
        """`TensorMetadata`; references are `content`, `process_units`, `stats` and `associated_files`."""
        slots = {"content": 3, "process_units": 4, "stats": 5, "associated_files": 6}
        texts = {0: self.text(name), 1: self.text(description)}
        return self.table(7, {**texts, **{slots[key]: place for key, place in references.items()}})

    def model(self, card, inputs, outputs):
        """`ModelMetadata` of one subgraph."""
        subgraph = self.table(10, references={2: self.vector(inputs), 3: self.vector(outputs)})
        texts = {0: card.name, 1: card.description, 2: card.version, 4: card.author, 5: card.license}
        texts = {slot: self.text(text) for slot, text in texts.items() if text}
        version = self.text(MIN_PARSER_VERSION)
        return self.table(8, {**texts, 3: self.vector([subgraph]), 7: version})
