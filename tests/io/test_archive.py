import zipfile

import pytest

from keras_vit.errors import InputError
from keras_vit.io.archive import check_zip


def archive(path, *members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members:
            file.writestr(name, content)
    return path


def test_the_names_in_a_good_archive_are_returned(tmp_path):
    assert check_zip(archive(tmp_path / "a.zip", ("a", b"1"), ("b/c", b"2"))) == {"a", "b/c"}


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "a/../../b", "..\\a", "C:\\a"])
def test_members_outside_the_archive_are_refused(name, tmp_path):
    with pytest.raises(InputError, match="points outside the archive"):
        check_zip(archive(tmp_path / "a.zip", (name, b"")))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_duplicate_member_is_refused(tmp_path):
    with pytest.raises(InputError, match="duplicate"):
        check_zip(archive(tmp_path / "a.zip", ("a", b"1"), ("a", b"2")))


def test_members_that_would_fill_the_memory_are_refused(tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as file,
        file.open("a", "w") as member,
    ):
        for _ in range(300):
            member.write(bytes(1024**2))
    with pytest.raises(InputError, match="would unpack to 314,572,800"):
        check_zip(tmp_path / "a.zip")


@pytest.mark.parametrize("content", [b"", b"text", b"PK\3\4" * 20])
def test_a_file_that_is_not_an_archive_is_named(content, tmp_path):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.npz \(\d+ bytes\) is not a zip"):
        check_zip(tmp_path / "a.npz")
