"""How image files lie in a folder: which are splits, which are classes, and which files are passed over.

One reading is taken where only one makes sense. Where two do, the folder is refused with both, and
`class_folders` chooses.
"""

import collections
import dataclasses
import os
import re
from pathlib import Path

from keras_vit.errors import InputError, counted, listed
from keras_vit.io.folders import passed_over_words, scan

SPLITS = {  # the usual names, in any case
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
ORDER = ("train", "validation", "test")
_SHORT = {"trn": "train", "vld": "validation", "eval": "validation", "tst": "test", "holdout": "test"}
_WITH_SPLITS = {"set", "sets", "data", "dataset", "split", "image", "images", "img", "imgs", "photos"}
_WORDS = re.compile(r"[a-z]+")
FIRST, LAST = "first", "last"  # readings of class folders that contain folders


@dataclasses.dataclass(frozen=True)
class Layout:
    """What was found in a folder."""

    files: dict[str, dict[str, list[str]]]  # paths by split and by class; "train" is always there
    reading: str  # a line on what was taken for what
    passed_over: collections.Counter  # files that are no images by kind, such as ".txt"
    hints: tuple[str, ...] = ()  # lines on what may make results too good
    notes: tuple[str, ...] = ()  # lines on folders that are not what they may seem to be

    def lines(self) -> list[str]:
        """Returns what there is to say, a line each."""
        kinds = passed_over_words(self.passed_over, hints=False)  # a warning has the hint
        passed_over = [f"passed over: {kinds}"] if self.passed_over else []
        return [self.reading, *self.notes, *self.hints, *passed_over]

    def kinds(self, limit: int | None = None) -> str:
        """Returns the most frequent kinds that were passed over, each with its number."""
        return passed_over_words(self.passed_over, limit)


def read_layout(path: Path, class_folders: str | None = None) -> Layout:
    """Reads which images of a folder belong to which split and class.

    Args:
        path: of the folder. Files and folders that begin with a dot, and `__MACOSX`, are left out.
        class_folders: `"first"`, the folders of the first level are the classes, whatever they contain and
            are called; `"last"`, the innermost folders are; or None, which refuses what can be read as both.

    Raises:
        InputError: no classes, a folder that can be read in two ways or not at all, images outside of class
            folders.
    """
    passed_over = collections.Counter()
    root = scan(path, passed_over)
    splits = _split_folders(root, class_folders)
    files = {split: _classes(folder, class_folders, folder is not root) for split, folder in splits.items()}
    hints = _hints(splits) if class_folders == FIRST else ()
    notes = (*_empty_splits(root, splits), *_inner_folders(splits, class_folders))
    return Layout(files, _reading(root, splits, class_folders), passed_over, hints, notes)


def _split_folders(root, class_folders):
    """The folder of each split; without split folders the whole is the training split."""
    inside = root.with_images
    named = {name: SPLITS[name.casefold()] for name in inside if name.casefold() in SPLITS}
    with_classes = [name for name, split in named.items() if split == "train" and inside[name].with_images]
    if not with_classes:
        _refuse_splits_as_classes(root, inside, named, class_folders)
        return {"train": root}
    splits = {}
    for name, split in named.items():
        if split in splits:
            raise InputError(
                f"Expected one {split} folder in {root.path}, found {splits[split].path.name} and {name}. "
                "Put their class folders into one of them."
            )
        splits[split] = inside[name]
    others = [name for name in inside if name not in named]
    if others and class_folders == FIRST:
        return {"train": root}
    if others or root.images:
        way_out = f"; to learn {listed(inside, 3)} as classes, set class_folders=first" if others else ""
        raise InputError(
            f"{root.path} has the splits {listed(named)}, and images that belong to none of them: "
            f"{listed([*others, *map(os.path.basename, root.images)], 5)}. Move these out of the folder, or "
            f"into a class of a split{way_out}."
        )
    return {split: splits[split] for split in ORDER if split in splits}


def _refuse_splits_as_classes(root, inside, named, class_folders):
    if not named or class_folders == FIRST:
        return
    if len(named) == len(inside):
        missing = "a training folder (train)" if "train" not in named.values() else "class folders in it"
        raise InputError(
            f"{root.path} has splits ({listed(named)}), but not {missing}. Expected a folder for each class "
            "in each split. To learn these folders as classes, set class_folders=first."
        )
    unclear = [name for name, split in named.items() if split != "train"]
    if unclear:
        classes = [name for name in inside if name not in named]
        raise InputError(
            f"{listed(unclear)} in {root.path} can be a split or a class. If it is a split, put it next to a "
            f"folder train that contains {listed(classes, 3)}; if it is a class, set class_folders=first."
        )


def _classes(root, class_folders, is_split):
    """The images by class in a split, or in a folder without splits."""
    inside = root.with_images
    if not inside:
        raise InputError(
            f"Expected a folder for each class in {root.path}, found none. Put the images of class A into "
            f"{root.path / 'A'}, and so on."
        )
    if root.images:
        raise InputError(
            f"{root.path} has images outside of its class folders: "
            f"{listed(map(os.path.basename, root.images), 5)}. Move them into the folder of their class."
        )
    if empty := [name for name in root.folders if name not in inside]:
        raise InputError(
            f"The class folder {root.path / empty[0]} contains no images. Add some, or remove the folder."
        )
    if class_folders != LAST:
        _refuse_outer_folder(root, inside, is_split)
    if class_folders is None:
        _refuse_two_readings(root, inside)
    return _innermost(root) if class_folders == LAST else {n: [*f.all_images()] for n, f in inside.items()}


def _refuse_outer_folder(root, inside, is_split):
    """Refuses a single folder around the classes or the splits, as archives often have it."""
    folder = root
    while not folder.images and len(folder.with_images) == 1:
        (folder,) = folder.with_images.values()
    below = [*folder.with_images]
    if len(inside) > 1 or len(below) < 2:
        return
    outer = os.path.relpath(folder.path, root.path)
    if is_split:
        mend = f"If these are the classes, move them into {root.path}, or set class_folders=last"
    else:
        mend = f"If it is the folder of the data, set data=folder:{folder.path}"
    raise InputError(
        f"{root.path} contains a single folder, {outer}, with {listed(below, 3)} in it. {mend}; if {outer} "
        "is a class, put a second one next to it."
    )


def _refuse_two_readings(root, inside):
    """Refuses class folders that sort their images into several folders, next to loose images too."""
    divided = {name: _inner(folder) for name, folder in inside.items()}
    for name, below in divided.items():
        if held_out := _held_out(below):
            raise InputError(
                f"{root.path} has splits within classes, such as {name}/{held_out[0]}. Put classes within "
                f"splits: {held_out[0]}/{name}, and so on. If {held_out[0]} is no split, set "
                f"class_folders=first: all images below {name} are then of that class."
            )
    divided = {name: below for name, below in divided.items() if len(below) > 1}
    if not divided:
        return
    name, below = next(iter(divided.items()))
    loose = ""
    if images := inside[name].images:
        loose = f", after you moved the images next to them, such as {os.path.basename(images[0])}"
    if renamed := _looks_like_splits(inside):
        raise InputError(
            f"{root.path} can be read in several ways, as {name} contains {listed(below, 3)}. If "
            f"{listed(inside, 3)} are splits, rename them {listed(renamed, 3)}; if they are the classes, set "
            f"class_folders=first; if {listed(below, 3)} are, of which new splits are made, set "
            "class_folders=last."
        )
    raise InputError(
        f"{root.path} can be read in two ways, as {name} contains {listed(below, 3)}. If {listed(inside, 3)} "
        f"are the classes, set class_folders=first; if {listed(below, 3)} are, set class_folders=last{loose}."
    )


def _inner(folder):
    """The folders into which a class sorts its images; a single one in it is looked through."""
    while len(folder.with_images) == 1 and not _held_out(folder.with_images):
        (folder,) = folder.with_images.values()
    return [*folder.with_images]


def _held_out(names):
    """The names of validation and test splits."""
    return [name for name in names if _split_of(name) not in (None, "train")]


def _split_of(name):
    """The split that a folder seems to be by its name, such as `test_set` or `01_train`, or None."""
    words = [word for word in _WORDS.findall(name.casefold()) if word not in _WITH_SPLITS]
    return SPLITS.get(words[0], _SHORT.get(words[0])) if len(words) == 1 else None


def _looks_like_splits(names):
    """The splits that all of some folders seem to be by their names, or none."""
    found = [_split_of(name) for name in names]
    return found if None not in found and "train" in found and len(set(found)) == len(found) > 1 else []


def _innermost(root):
    found = collections.defaultdict(list)
    for name, folder in root.folders.items():
        if folder.images:
            found[name] += folder.images
        for inner, images in _innermost(folder).items():
            found[inner] += images
    return dict(sorted(found.items()))


def _empty_splits(root, splits):
    """What to know about folders of splits without an image."""
    if splits["train"] is root:
        return
    for name, folder in root.folders.items():
        split = SPLITS.get(name.casefold())
        if split is not None and not any(folder.all_images()):
            instead = "" if split in splits else f": the {split} split is taken out of the training split"
            yield f"the folder {name} contains no images{instead}"


def _inner_folders(splits, class_folders):
    """What the reading does to folders below the classes, a line for each kind."""
    classes = [item for folder in splits.values() for item in folder.with_images.items()]
    if class_folders is not None and _looks_like_splits(outer := [name for name, _ in classes]):
        mend = f": rename them {listed(_looks_like_splits(outer))} if they are"
        yield f"{listed(outer)} are not kept as splits{mend}"
    if class_folders == FIRST:
        held_out = [(name, found) for name, folder in classes if (found := _held_out(_inner(folder)))]
        if held_out:
            name, found = held_out[0]
            yield f"{name}/{found[0]} is not kept as a split: its images are taken as all of {name}" + (
                _others(held_out)
            )
    mixed = [(name, folder) for name, folder in classes if folder.images and folder.with_images]
    if class_folders is None and mixed:
        name, folder = mixed[0]
        ((inner, below),) = folder.with_images.items()  # several are refused
        count = counted(len([*below.all_images()]), "image")
        loose = f"next to {len(folder.images):,} directly in {name}"
        yield f"{count} in {name}/{inner}, {loose}: all of {name}{_others(mixed)}"
    if class_folders == LAST:
        if mixed:
            name, folder = mixed[0]
            count = counted(len(folder.images), "image")
            yield f"{count} directly in {name}, next to {listed(folder.with_images, 3)}: a class {name}" + (
                _others(mixed)
            )
        names = sorted({name for _, folder in classes for name in _held_out(_innermost(folder))})
        if names:
            yield f"the classes {listed(names)} have names of splits"


def _others(found):
    others = len({name for name, _ in found}) - 1
    return f"; {counted(others, 'class', 'classes')} more like it" if others else ""


def _hints(splits):
    """What to know where classes have several folders of images, and splits are taken from them."""
    classes = splits["train"].with_images.values()
    groups = next((list(folder.with_images) for folder in classes if len(folder.with_images) > 1), None)
    if groups is None or len(splits) == len(ORDER):
        return ()
    return (
        f"images of one folder, such as {groups[0]}, can be in two splits: if each shows one person or "
        "thing, set group=folder, or results are too good",
    )


def _reading(root, splits, class_folders):
    where = "innermost folders" if class_folders == LAST else "folders"
    joined = _joined(splits) if class_folders == FIRST else ""
    if splits["train"] is root:
        return f"classes: the {where} of {root.path.resolve().name}, without splits{joined}"
    names = ", ".join(f"{split} ({folder.path.name})" for split, folder in splits.items())
    return f"splits: {names}; classes: their {where}{joined}"


def _joined(splits):
    """What to say of classes that contain several folders, all of whose images they are given."""
    classes = [item for folder in splits.values() for item in folder.with_images.items()]
    divided = [(name, below) for name, folder in classes if len(below := _inner(folder)) > 1]
    if not divided:
        return ""
    name, below = divided[0]
    return f"; {name} contains {listed(below, 3)}: taken as one class{_others(divided)}"
