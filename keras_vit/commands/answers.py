"""What `predict` answers: as a table, as CSV and as JSON."""

import functools

import numpy as np

from keras_vit.errors import InputError

MOST_COLUMNS = 4096  # numbers of an item in a CSV file
NONE = "none of these"  # the answer where no class is sure enough
HALF = 0.5  # the least score of a label that holds, where no threshold is recorded
_SHOWN = 6  # numbers of an output
_TOP = 3  # classes that are shown


class Answers:
    """The outputs of a model for files, and the files that cannot be read."""

    def __init__(self, found, top: int | None = None, least: float | None = None):
        self.found, self.top, self.most_labels, self.least = found, top or _TOP, top, least or 0.0
        outputs = found.predictor.description.outputs
        if not found.predictor.classes and not any(self._is_scored(o.name) for o in outputs):
            for option, value in (("--top", top), ("--min-score", least)):
                if value is not None:
                    raise InputError(
                        f"{option} is for classes and labels, and {found.name} gives neither. Leave it out."
                    )
        self.answered = []  # pairs of a file and its outputs by name, or its error

    def add(
        self, files: list[str], outputs: dict[str, np.ndarray], broken: dict[str, InputError]
    ) -> list[dict]:
        """Adds some files in their order: the errors of those that cannot be read, outputs for the others.

        Returns their rows of `columns`.
        """
        count = len(files) - len(broken)
        read = ({name: values[row] for name, values in outputs.items()} for row in range(count))
        items = [broken[file] if file in broken else next(read) for file in files]
        self.answered += zip(files, items, strict=True)
        return [{"file": file, **self._cells(item)} for file, item in zip(files, items, strict=True)]

    @property
    def broken(self) -> dict[str, InputError]:
        """The error of each file that cannot be read."""
        return {file: item for file, item in self.answered if isinstance(item, InputError)}

    @property
    def columns(self) -> list[str]:
        """The columns of a CSV file."""
        if self.found.predictor.classes:
            return ["file", *(name for pair in self._class_columns for name in pair), "error"]
        return ["file", *self._number_columns, "error"]

    def as_json(self) -> list[dict]:
        """Returns all numbers of each file, or its error."""
        return [{"file": file, **_in_full(item)} for file, item in self.answered]

    def table(self):
        """Returns a table of rich."""
        from rich.table import Column, Table

        headings = ("class", "probability") if self.found.predictor.classes else ("output", "values")
        table = Table(Column("file", overflow="fold"), *headings, box=None)
        for file, item in self.answered:
            if isinstance(item, InputError):
                continue
            for first, second in self._lines(item) or [("-", "")]:
                table.add_row(file, first, second)
                file = ""
        return table

    def _lines(self, item):
        if self.found.predictor.classes:
            scores = item[self.found.predictor.classes]
            best = [(name, f"{score:.4f}") for name, score in self._scored_enough(scores)]
            return [(NONE, "")] * self._is_none(scores) + best
        return [(name, self._words(name, values)) for name, values in item.items()]

    def _is_none(self, scores):
        """Whether no class has the least score that was fitted for an answer."""
        least = self._output(self.found.predictor.classes).none_below
        return least is not None and bool(scores.max() < least)

    def _best(self, scores):
        """The names and scores of the best classes."""
        scores, names = np.asarray(scores, "float32"), self.found.predictor.label_names
        best = np.argsort(-scores, kind="stable")[: self.top]
        return [(names[i] if names else str(i), scores[i]) for i in best]

    def _scored_enough(self, scores):
        return [(name, score) for name, score in self._best(scores) if score >= self.least]

    def _words(self, name, values):
        if self._is_scored(name):
            held = [f"{label} {score:.4f}" for label, score in self._held(name, values)]
            best = ", ".join(f"{label} {score:.4f}" for label, score in self._best(values))
            return ", ".join(held) or f"none of the labels; best: {best}"
        if self._has_names(name):
            pairs = zip(self.found.predictor.label_names, values.tolist(), strict=True)
            return ", ".join(f"{label} {value:.5g}" for label, value in pairs)
        flat = values.reshape(-1)
        first = " ".join(f"{value:.4g}" for value in flat[:_SHOWN])
        if len(flat) <= _SHOWN:
            return first
        norm = float((flat.astype("float64") ** 2).sum() ** 0.5)
        return f"{'x'.join(map(str, values.shape))}, norm {norm:.4g}: {first} ..."

    def _held(self, name, values):
        """The labels that hold with their scores, best first: `most_labels`, from thresholds, `least` on."""
        names, least = self.found.predictor.label_names, self._output(name).thresholds
        least = np.maximum(HALF if least is None else np.asarray(least), self.least)
        holds = values >= least
        held = [(names[i], values[i]) for i in np.argsort(-values, kind="stable") if holds[i]]
        return held[: self.most_labels]

    def _output(self, name):
        return next(o for o in self.found.predictor.description.outputs if o.name == name)

    def _has_names(self, name):
        named = self.found.predictor.description.named
        return named is not None and named.name == name

    def _is_scored(self, name):
        return self._output(name).task == "labels" and self._has_names(name)

    def _cells(self, item):
        if isinstance(item, InputError):
            return {"error": str(item)}
        if not self.found.predictor.classes:
            cells = []
            for name, values in item.items():
                if self._is_scored(name):
                    cells.append(";".join(label for label, _ in self._held(name, values)))
                cells += values.reshape(-1).tolist()
            return dict(zip(self._number_columns, cells, strict=True))
        scores = item[self.found.predictor.classes]
        best = [(NONE, scores.max())] if self._is_none(scores) else self._scored_enough(scores)
        pairs = zip(self._class_columns, best, strict=False)
        return {
            column: value for columns, answer in pairs for column, value in zip(columns, answer, strict=True)
        }

    @functools.cached_property
    def _class_columns(self):
        count = min(self.top, self.found.predictor.num_classes)
        ends = ["", *(f"_{number}" for number in range(2, count + 1))]
        return [(f"class{end}", f"probability{end}") for end in ends]

    @functools.cached_property
    def _number_columns(self):
        columns = []
        for output in self.found.predictor.description.outputs:
            if None in output.shape or (count := int(np.prod(output.shape))) > MOST_COLUMNS:
                raise InputError(
                    f"--csv has at most {MOST_COLUMNS:,} columns, and {output.name} has the shape "
                    f"{output.shape}. Use --json."
                )
            if self._is_scored(output.name):
                columns += ["labels", *self.found.predictor.label_names]
            elif self._has_names(output.name):
                columns += self.found.predictor.label_names
            else:
                columns += [output.name] if count == 1 else [f"{output.name}_{i}" for i in range(count)]
        return columns


def _in_full(item):
    return {"error": str(item)} if isinstance(item, InputError) else {n: v.tolist() for n, v in item.items()}
