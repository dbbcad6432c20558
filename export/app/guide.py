"""`app.md` of a model of arrays: of one image, or of any inputs."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from keras_vit.errors import listed
from keras_vit.export.app.answers import HALF, NONE, of_categories, of_scores
from keras_vit.export.app.calls import give_arrays, give_photo, take
from keras_vit.export.app.preparation import preparation
from keras_vit.export.app.template import filled
from keras_vit.export.model.description import Description, read_description
from keras_vit.export.tasks import PHOTO_TASKS
from keras_vit.export.tflite.graph import end_names, read_graph
from keras_vit.export.verification.choose import fastest
from keras_vit.io import markdown
from keras_vit.io.figures import latency_words, size_words
from keras_vit.io.preprocessing import Preprocessing

SHOWN = 40  # labels
CHANNELS = {1: "grey", 3: "RGB"}  # of photos
HEADINGS = {"kotlin": "Kotlin", "swift": "Swift", "javascript": "JavaScript", "python": "Python"}
UNSURE = (
    "for a trained run `keras-vit evaluate RUN --precision 0.95` fits a value below which the answer is none "
    "of them, and the lines of the next export have it"
)
IN_BROWSERS = ("float32", "int32", "uint8")  # types of LiteRT.js 2.5.3
NOT_RUN = {
    "kotlin": "These calls follow the published interface and were not run on a phone.",
    "swift": "These lines follow published interfaces and were not compiled or run.",
    "javascript": (
        "The page that `keras-vit export --web` writes makes the same calls and is tested in a browser; "
        "these lines by themselves are not."
    ),
}


def app_guide(name: str, files: Sequence[tuple[dict, Path]]) -> str:
    """Returns the text of `app.md` for a model with these exported files.

    Args:
        name: of the model.
        files: pairs of a row of `export.json` and where its TFLite file is, those that passed.
    """
    if not files:
        return no_files(name)
    row, path = chosen_file(files)
    case = _Case(row["file"], read_description(path), row["batch_size"], row["attention"], *_ends(path))
    parts = [f"# {name} in an app", files_table(files, row), *_facts(case), *_lines(case)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def no_files(name):
    """Returns the text where no TFLite file passed."""
    return (
        f"# {name} in an app\n\nThere is no TFLite file here that passed. Write one, then this file has the "
        "lines for it: `keras-vit export ... --variant dynamic_int8`.\n"
    )


def chosen_file(files):
    """The pair whose file the lines name: what `auto` kept, else the one that it would keep of these."""
    rows = [row for row, _ in files]
    timed = [row for row in rows if "latency_ms" in row]
    chosen = next((row for row in rows if row.get("kept")), None) or fastest(timed) or rows[0]
    return files[rows.index(chosen)]


def files_table(files, row):
    """The files as a table in Markdown, and which of them the lines name."""
    rows = [(f"`{row['file']}`", size_words(row["size"]), _latency(row)) for row, _ in files]
    table = markdown.table(("file", "size", "latency where it was exported"), rows)
    why = "which `auto` kept" if row.get("kept") else "as fast as any here; a phone may rank them otherwise"
    return f"{table}\n\nThe lines below use `{row['file']}`, {why}."


def _latency(row):
    return latency_words(row["latency_ms"]) if "latency_ms" in row else "-"


@dataclasses.dataclass(frozen=True)
class _Case:
    """A file and its facts; inputs and outputs are in the order of the file."""

    file: str
    description: Description
    batch: int
    attention: bool
    inputs: list
    outputs: list

    @property
    def photo(self):
        """Whether the one input is a grey or RGB image of pixels and the batch is one."""
        inputs = self.description.inputs
        return len(inputs) == 1 and inputs[0].pixels and inputs[0].shape[-1] in CHANNELS and self.batch == 1

    @property
    def mediapipe(self):
        """Whether MediaPipe's ImageClassifier takes it."""
        outputs = self.description.outputs
        return (
            self.photo
            and not self.attention
            and self.description.inputs[0].shape[-1] == 3
            and self.description.inputs[0].dtype in ("float32", "uint8")
            and len(outputs) == 1
            and outputs[0].task in PHOTO_TASKS
            and outputs[0].shape != (1,)
            and self.description.label_names is not None
        )

    @property
    def not_in_browsers(self):
        """A sentence where LiteRT.js cannot pass the types of the file, or None."""
        known = self.description
        types = dict.fromkeys(tensor.dtype for tensor in (*known.inputs, *known.outputs))
        unfit = [dtype for dtype in types if dtype not in IN_BROWSERS]
        if not unfit:
            return None
        cure = "without `--input int8`" if unfit == ["int8"] else "with these types in the model"
        return (
            f"LiteRT.js has tensors of {listed(IN_BROWSERS)} alone, and this file has {listed(unfit)}: for a "
            f"browser, export one {cure}."
        )

    @property
    def preprocessing(self):
        known = self.description.preprocessing
        return known or Preprocessing.of("stretch", self.description.inputs[0].shape[:2])


def _ends(path):
    return end_names(read_graph(path.read_bytes()))


def _facts(case):
    known = case.description
    inputs = {tensor.name: tensor for tensor in known.inputs}
    outputs = {tensor.name: tensor for tensor in known.outputs}
    taken = [_input(inputs[name], case) for name in case.inputs]
    given = [_output(outputs.get(name), name, case) for name in case.outputs]
    parts = ["## What goes in", *taken]
    if case.photo:
        parts.append(_geometry(case))
    return [*parts, "## What comes out", *given, *_labels(known)]


def _input(tensor, case):
    shape = " x ".join(map(str, (case.batch, *tensor.shape)))
    words = f"`{tensor.name}`: {tensor.dtype}, {shape}"
    if tensor.pixels:
        channels = CHANNELS.get(tensor.shape[-1], "channels last")
        words += f", {channels}, each value from 0 to 255: the model scales them itself"
        words += ". The model was trained on grey images: the file makes RGB grey" * case.description.grey
    elif tensor.low is not None:
        words += f", values as in training; from {tensor.low:g} to {tensor.high:g} in the items of the check"
    if tensor.scale is not None:
        words += f". Pass `round(value / {tensor.scale:.9g}) + ({tensor.zero_point})`, from -128 to 127"
    return f"{words}."


def _geometry(case):
    known = case.description.preprocessing
    if known is None:
        return (
            "How photos were prepared for training is not known; the lines stretch the whole upright photo."
        )
    ground = "white" if known.background == (255, 255, 255) else str(known.background)
    averaging = "without averaging" if known.interpolation == "nearest" else "with averaging"
    return (
        f"Of an upright photo: {known.words}, {averaging} of the pixels between; transparent parts on "
        f"{ground}. MediaPipe would do none of this: it stretches what it gets, without averaging, half a "
        "pixel to the side. So the lines prepare the photo themselves and pass an image of the model's size."
        + _of_16_bits(known.window)
    )


def _of_16_bits(window):
    if window is None:
        return ""
    low, high = window
    return (
        f" The model was trained on images of 16 bits, whose grey values {low:,} to {high:,} became 0 to "
        "255: scale others alike first; the lines in Python do it."
    )


def _output(tensor, name, case):
    if tensor is None:
        return f"`{name}`: what each part of the image counted for."
    shape = " x ".join(map(str, (case.batch, *tensor.shape)))
    words = f"`{tensor.name}`: {tensor.dtype}, {shape}"
    words += f", {tensor.task}" if tensor.task else ""
    words += f", after {tensor.activation}" if tensor.activation else ""
    if tensor.scale is not None:
        words += f". A number stands for `(number - ({tensor.zero_point})) * {tensor.scale:.9g}`"
    if tensor.none_below is not None:
        words += f'. The answer is "{NONE}" where no value is at least {tensor.none_below:.4g}'
    elif tensor.task == "classification":
        words += f". Every input gets a class, also one of something else: {UNSURE}"
    if tensor.task == "labels" and tensor.thresholds is None:
        words += f". A label holds from {HALF:g} on"
    return f"{words}."


def _labels(known):
    if not known.label_names or known.named is None:
        return []
    thresholds = known.named.thresholds
    columns = {"number": range(SHOWN), "label": known.label_names[:SHOWN]}
    if thresholds is not None:
        columns["holds from"] = [f"{threshold:.4g}" for threshold in thresholds]
    parts = [markdown.table(list(columns), zip(*columns.values(), strict=False))]
    if len(known.label_names) > SHOWN:
        parts.append(f"`labels.txt` has all {len(known.label_names):,}, one a line.")
    return parts


def _lines(case):
    names = {"FILE": case.file, "STEM": case.file.removesuffix(".tflite")}
    (output, *others), named = case.description.outputs, case.description.named is not None
    parts = []
    for language, heading in HEADINGS.items():
        if language == "javascript" and (unfit := case.not_in_browsers):
            parts += [f"## {heading}", unfit]
            continue
        if case.photo:
            parts += _photo_parts(language, case, names)
        answer = "" if others or case.batch > 1 else of_scores(language, output, named)
        lines = filled(
            f"{language}_litert",
            GIVE=(give_photo if case.photo else give_arrays)(language, case),
            TAKE=take(language, case),
            ANSWER=answer,
            IMPORT='import { decode, prepare, withChannels } from "./pixels.js";' if case.photo else "",
            **names,
        )
        if "labels.txt" in answer:
            lines = lines.replace("; the file is ", "; the file and labels.txt are ", 1)
        own = [f"### {heading}, LiteRT", _block(language, lines)]
        parts += own if case.photo else litert(language, lines)
    return parts


def _photo_parts(language, case, names):
    """The parts before the lines for LiteRT: how a photo is prepared, and the lines for MediaPipe."""
    prepared = _block(language, preparation(language, case.preprocessing))
    if language == "javascript":
        return [f"## {HEADINGS[language]}", f"`pixels.js`:\n\n{prepared}", NOT_RUN[language]]
    parts = [f"## {HEADINGS[language]}", prepared, *_note(language)]
    if case.mediapipe:
        answer = of_categories(language, case.description.outputs[0])
        lines = filled(f"{language}_mediapipe", ANSWER=answer, **names)
        parts += [f"### {HEADINGS[language]}, MediaPipe", _block(language, lines)]
    return parts


def litert(language, lines):
    """Returns the parts with lines for LiteRT, which are all of a language."""
    return [f"## {HEADINGS[language]}, LiteRT", *_note(language), _block(language, lines)]


def _block(language, lines):
    return f"```{language}\n{lines.rstrip()}\n```"


def _note(language):
    return [NOT_RUN[language]] if language in NOT_RUN else []
