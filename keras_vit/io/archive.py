"""Zip archives are looked through before anything in them is read."""

import zipfile
from pathlib import PurePosixPath

from keras_vit.errors import InputError

EXPANSION = 100  # times the file's own size that its members may have; real data reach 10
FREE_SIZE = 256 * 1024**2  # bytes that they may have in any case
MOST_MEMBERS = 10_000


def check_zip(path):
    """Checks what a zip archive declares, without unpacking it.

    Args:
        path: str or Path of the file.

    Returns:
        set of str, the names of its members.

    Raises:
        InputError: no zip archive, or damaged; members that repeat, lie outside of it or are far larger
            than the file.
    """
    size = path.stat().st_size
    if not zipfile.is_zipfile(path):
        raise InputError(
            f"{path} ({size:,} bytes) is not a zip archive, as .keras, .npz and torch's files are: it is "
            "empty, truncated or of another format. Write it again."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
        raise InputError(f"{path} is a damaged archive: {error}.") from error
    names = {member.filename for member in members}
    if len(names) < len(members) or len(members) > MOST_MEMBERS:
        raise InputError(f"{path} is a damaged archive: a member appears twice, or there are too many.")
    outside = next((name for name in names if _leads_outside(name)), None)
    if outside is not None:
        raise InputError(f"{path} is not to be trusted: its member {outside!r} would lie outside of it.")
    declared = sum(member.file_size for member in members)
    if declared > EXPANSION * size + FREE_SIZE:
        raise InputError(
            f"{path} is not to be trusted: its {size:,} bytes would unpack to {declared:,}. If it is yours, "
            "store it with less compression."
        )
    return names


def _leads_outside(name):
    parts = PurePosixPath(name.replace("\\", "/"))
    return parts.is_absolute() or ".." in parts.parts or ":" in name or "\0" in name
