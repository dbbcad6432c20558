"""Folders of class folders with something bad in them."""

import os

from hostile_case import Case, cut
from hostile_images import FORMATS, declared, saved


def cases():
    for file_format, suffix in FORMATS.items():
        content = cut(saved(file_format), 0.5)
        yield _case(
            f"half a {suffix}", lambda place, s=suffix, c=content: place.put(f"photos/cat/bad.{s}", c)
        )
    for name, content in {
        "empty image": b"",
        "text named jpg": b"no image",
        "bomb": lambda: declared("PNG", 60_000, 60_000),
    }.items():
        yield _case(name, lambda place, c=content: place.put("photos/dog/bad.jpg", c))
    yield _case(
        "300 broken images", lambda place: [place.put(f"photos/cat/{n}.png", b"x") for n in range(300)]
    )
    yield _case("endless device", lambda place: os.symlink("/dev/zero", place.folder / "photos/cat/z.png"))
    yield _case("pipe", lambda place: os.mkfifo(place.folder / "photos/cat/z.png"))
    yield _case("link to nothing", lambda place: os.symlink("nowhere", place.folder / "photos/cat/z.png"))
    yield _case("empty class", lambda place: (place.folder / "photos/owl").mkdir())
    yield _case("class of two lines", lambda place: place.put("photos/o\nwl/a.png", saved("PNG")))
    yield _case("class that clears the screen", lambda place: place.put("photos/\x1b[2J/a.png", saved("PNG")))
    yield _case("class of bytes", lambda place: place.put(os.fsdecode(b"photos/d\xf6g/a.png"), saved("PNG")))
    yield _case("class of one image", lambda place: place.put("photos/owl/a.png", saved("PNG")))
    yield _case(
        "test split of another class", lambda place: _with_split(place, "test/owl/a.png", saved("PNG"))
    )
    yield _case("broken test image", lambda place: _with_split(place, "test/cat/a.png", b"x"))


def _case(name, spoil):
    def write(place):
        for label, mode in (("cat", "RGB"), ("dog", "L")):
            for number in range(6):
                place.put(f"photos/{label}/{number}.png", saved("PNG", mode) + bytes(number))
        spoil(place)
        return place.folder / "photos"

    return Case("folder", f"folder {name}", "folder", write)


def _with_split(place, name, content):
    (place.folder / "photos").rename(place.folder / "train")
    (place.folder / "photos").mkdir()
    (place.folder / "train").rename(place.folder / "photos" / "train")
    place.put(f"photos/{name}", content)
