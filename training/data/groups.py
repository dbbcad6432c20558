"""Groups of images that stay on one side of every split, such as patients, videos and bursts."""

import itertools
import os
import re
from pathlib import PurePosixPath

import numpy as np

from keras_vit.errors import InputError, counted, first_line, listed
from keras_vit.training.data.dataset import Split
from keras_vit.training.data.items import FileItems

FOLDER, COLUMN, PATTERN = "folder", "column", "pattern"
EXPECTED = (
    "folder (the innermost folder of an image), column:NAME of a table, or pattern:REGEX, whose part in "
    "parentheses is the group in the path of an image"
)
OF_NAMES = r"([^/]*?)[-_.]*[A-Za-z]*[-_.]*\d+\.\w+$"  # patient_03 of ill/patient_03_slice_12.png
_NUMBERED = re.compile(r"(.*?)[-_. ]*([A-Za-z]*)[-_. ]*\d+$")  # a name, perhaps a word, a number
_SHOWN = 5  # groups
_LOOKED_AT, _FEW = 1000, 0.4  # files, and the share of them that makes it worth looking at all


def parse(text: str, name: str = "group") -> tuple[str, str]:
    """Returns the kind of groups of `"folder"`, `"column:NAME"` or `"pattern:REGEX"`, and its argument.

    Example:
        >>> parse("pattern:patient_([0-9]+)")
        ('pattern', 'patient_([0-9]+)')
    """
    kind, colon, argument = text.partition(":")
    if not (text == FOLDER or kind in (COLUMN, PATTERN) and argument):
        raise InputError(f"Expected {name} to be {EXPECTED}, received {text!r}.")
    if kind == PATTERN:
        try:
            groups = re.compile(argument).groups
        except re.error as error:
            raise InputError(f"{name}={text} is no regular expression: {first_line(error)}.") from error
        if not groups:
            raise InputError(
                f"Expected a part in parentheses in {name}={text}, which is the group, such as "
                r"pattern:patient_(\d+). Found none."
            )
    return kind, argument


def group_names(parts: dict[str, Split], group: str, source: str) -> dict[str, list[str | None]]:
    """Returns the group of each image in each split of a source; None of one that belongs to none."""
    kind, argument = parse(group)
    read = _columns if kind == COLUMN else _paths
    found = {name: read(split, argument, group, source) for name, split in parts.items()}
    if kind != COLUMN:
        of_path = _folder if kind == FOLDER else re.compile(argument).search
        found = {name: [_group(of_path(path)) for path in paths] for name, paths in found.items()}
    if not any(name is not None for names in found.values() for name in names):
        example = "" if kind == COLUMN else f", such as {_paths(parts['train'], '', group, source)[0]}"
        raise InputError(f"group={group} finds no group of any image of {source}{example}.")
    _check_given(found, group, source)
    return found


def as_ids(names: list[str | None]) -> np.ndarray:
    """Returns an int for each image, the same for those of one group, and others for those of none."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    ids = np.array([numbers[name] for name in names], int)
    alone = np.array([name is None for name in names], bool)
    ids[alone] = len(names) + np.arange(alone.sum())
    return ids


def groups_line(found: dict[str, list[str | None]], group: str, made: bool) -> str:
    """Returns what to say about the groups of a source; `made` where splits are made of it."""
    kind = group.partition(":")[0]
    names = [name for of_split in found.values() for name in of_split]
    known = sorted({name for name in names if name is not None})
    alone = names.count(None)
    rest = f"; {counted(alone, 'image is', 'images are')} in none, and kept one by one" if alone else ""
    by = kind if kind == FOLDER else group.replace(":", " ", 1)
    where = "each on one side of every split" if made else "none in two splits"
    return f"groups: {len(known):,} by {by} ({listed(known, _SHOWN)}), {where}{rest}"


def hint(split: Split, strata: np.ndarray) -> str | None:
    """Returns a line where image files seem to belong to groups that the splits should keep together.

    Their names show it: `patient_03_slice_12.png`, `video7_frame0012.jpg`. In a class (`strata`, int
    `(num_images,)`), at least two beginnings that contain a number are each followed by several numbers.
    """
    items = split.images.decoder.items if split.are_decoded else None
    if not isinstance(items, FileItems):
        return None
    some = split.images.indices[:: max(1, len(split) // _LOOKED_AT)].tolist()
    if sum(_numbered(items.paths[index]) is not None for index in some) < _FEW * len(some):
        return None
    beginnings, others = {}, 0
    for index, stratum in zip(split.images.indices.tolist(), strata.tolist(), strict=True):
        if match := _numbered(items.paths[index]):
            of_class = beginnings.setdefault(stratum, {})
            of_class[match[1]] = of_class.get(match[1], 0) + 1
        else:
            others += 1
            if 2 * others > len(split):
                return None
    found = [of_class for of_class in beginnings.values() if len(of_class) > 1]
    images = sum(sum(of_class.values()) for of_class in found)
    groups = sum(len(of_class) for of_class in found)
    if not groups or images < 2 * groups or 2 * images < len(split):
        return None
    name, count = max(found[0].items(), key=lambda item: item[1])
    return (
        f"{counted(images, 'file looks', 'files look')} like {counted(groups, 'group')} by their names, "
        f"such as {count:,} of {name}: if each shows one person or thing, set 'group=pattern:{OF_NAMES}', "
        "or results are too good"
    )


def _numbered(path):
    """The match of a name such as patient_03_slice_12.png, whose beginning has a number too, or None."""
    name = path.rpartition(os.sep)[2]
    match = _NUMBERED.match(name.rpartition(".")[0] or name)
    return match if match and any(letter.isdigit() for letter in match[1]) else None


def _columns(split, column, group, source):
    items = split.images.decoder.items if split.are_decoded else None
    if not getattr(items, "table", None):
        raise InputError(f"group={group} needs data with columns, table:FILE or hf:NAME, received {source}.")
    if column not in items.table:
        raise InputError(
            f"Expected group={group} to name a column of {source}, which has {listed(items.table)}."
        )
    values = items.table[column]
    return [_text(values[index]) for index in split.images.indices.tolist()]


def _text(value):
    is_missing = value is None or value != value or not str(value).strip()  # NaN is not itself
    return None if is_missing else str(value).strip()


def _paths(split, argument, group, source):
    items = split.images.decoder.items if split.are_decoded else None
    if not isinstance(items, FileItems):
        raise InputError(f"group={group} needs image files, folder:PATH or table:FILE, received {source}.")
    return [items.relative_path(index) for index in split.images.indices.tolist()]


def _folder(path):
    return PurePosixPath(path).parent.name


def _group(found):
    found = found[1] if isinstance(found, re.Match) else found
    return found or None


def _check_given(found, group, source):
    sides = {split: set(names) - {None} for split, names in found.items()}
    for one, other in itertools.combinations(sides, 2):
        if both := sorted(sides[one] & sides[other]):
            raise InputError(
                f"{counted(len(both), 'group is', 'groups are')} in two given splits of {source} by "
                f"group={group}, {one} and {other}: {listed(both, _SHOWN)}. Move each to one of them, or "
                "leave group out."
            )
