import zipfile

import numpy as np
import pytest

from keras_vit.errors import InputError
from keras_vit.training.data.sources import LoadOptions, npz


def read_npz(path):
    return npz.load(str(path), LoadOptions())


def arrays(count=6, seed=0):
    images = np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3), dtype=np.uint8)
    return images, np.arange(count) % 2


def write(path, **contents):
    np.savez(path, **contents)
    return path


def test_all_three_splits_and_the_names_are_read(tmp_path):
    contents = {}
    for seed, split in enumerate(("train", "validation", "test")):
        contents[f"x_{split}"], contents[f"y_{split}"] = arrays(6 + seed, seed)
    parts, names, *_ = read_npz(write(tmp_path / "a.npz", **contents, label_names=["cat", "dög"]))
    assert [len(parts[split]) for split in ("train", "validation", "test")] == [6, 7, 8]
    np.testing.assert_array_equal(parts["test"].images, contents["x_test"])
    assert parts["test"].labels.dtype == np.int32
    assert names == ("cat", "dög")


def test_images_and_labels_are_a_training_split_with_numbered_classes(tmp_path):
    images, labels = arrays()
    parts, names, *_ = read_npz(
        write(tmp_path / "a.npz", images=images.astype(np.float32), labels=labels[:, None])
    )
    assert list(parts) == ["train"] and names == ("0", "1")
    np.testing.assert_array_equal(parts["train"].images, images)


def test_names_may_be_bytes(tmp_path):
    images, labels = arrays()
    path = write(tmp_path / "a.npz", images=images, labels=labels, label_names=np.array([b"cat", b"dog"]))
    assert read_npz(path)[1] == ("cat", "dog")


def test_pickled_contents_are_never_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return (tmp_path.joinpath("sprung").touch, ())

    images, labels = arrays()
    path = write(tmp_path / "a.npz", images=images, labels=labels, label_names=np.array([Trap()], object))
    with pytest.raises(InputError, match="Python objects"):
        read_npz(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("rename", "received"),
    [
        ({"images": "x_train"}, "labels, x_train"),
        ({"images": "x_train", "labels": "y_val"}, "x_train, y_val"),
        ({"images": "pictures"}, "labels, pictures"),
        ({"images": "x_test", "labels": "y_test"}, "x_test, y_test"),
    ],
)
def test_other_names_of_arrays_are_refused_with_those_that_are_expected(rename, received, tmp_path):
    images, labels = arrays()
    contents = {rename.get("images", "images"): images, rename.get("labels", "labels"): labels}
    with pytest.raises(InputError, match=f"Expected x_train and y_train .* received {received}"):
        read_npz(write(tmp_path / "a.npz", **contents))


def test_both_forms_at_once_are_refused(tmp_path):
    images, labels = arrays()
    contents = {"images": images, "labels": labels, "x_train": images, "y_train": labels}
    with pytest.raises(InputError, match="received images, labels, x_train, y_train"):
        read_npz(write(tmp_path / "a.npz", **contents))


def test_bad_pixels_and_labels_are_refused_with_the_name_of_the_array(tmp_path):
    images, labels = arrays()
    broken = images.astype(np.float32)
    broken[3, 1, 1, 1] = np.nan
    with pytest.raises(InputError, match="finite pixels in images of"):
        read_npz(write(tmp_path / "a.npz", images=broken, labels=labels))
    with pytest.raises(InputError, match="labels of .* integers"):
        read_npz(write(tmp_path / "a.npz", images=images, labels=labels * 1.0))


def test_a_label_beyond_the_number_of_images_is_refused_at_once(tmp_path):
    images, labels = arrays()
    labels[0] = 2**31 - 1
    with pytest.raises(InputError, match="count classes from 0"):
        read_npz(write(tmp_path / "a.npz", images=images, labels=labels))


def test_names_that_are_not_strings_are_refused(tmp_path):
    images, labels = arrays()
    with pytest.raises(InputError, match="list of strings"):
        read_npz(write(tmp_path / "a.npz", images=images, labels=labels, label_names=[1, 2]))


def test_more_names_than_images_are_refused_before_they_take_memory(tmp_path):
    images, labels = arrays()
    header = {"descr": "<U0", "fortran_order": False, "shape": (10**9,)}
    path = write(tmp_path / "a.npz", images=images, labels=labels)
    with zipfile.ZipFile(path, "a") as archive, archive.open("label_names.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, header)
    with pytest.raises(InputError, match="at most one for each of 6 images"):
        read_npz(path)


def test_members_that_are_not_arrays_are_refused(tmp_path):
    images, labels = arrays()
    path = write(tmp_path / "a.npz", images=images, labels=labels)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("label_names", b"cat dog")
    with pytest.raises(InputError, match="received images, label_names, labels"):
        read_npz(path)


def test_missing_empty_truncated_and_other_files_are_refused_by_name(tmp_path):
    images, labels = arrays(200)
    good = write(tmp_path / "good.npz", images=images, labels=labels).read_bytes()
    np.save(tmp_path / "single.npy", images)
    single = (tmp_path / "single.npy").read_bytes()
    with pytest.raises(InputError, match="found none"):
        read_npz(tmp_path / "none.npz")
    for content in (b"", b"hello", good[: len(good) // 2], good[:100], single):
        path = tmp_path / "broken.npz"
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"broken\.npz"):
            read_npz(path)


def test_a_file_with_flipped_bytes_is_refused(tmp_path):
    images, labels = arrays(200)
    path = write(tmp_path / "a.npz", images=images, labels=labels)
    content = bytearray(path.read_bytes())
    content[2000] ^= 255
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.npz cannot be read"):
        read_npz(path)
