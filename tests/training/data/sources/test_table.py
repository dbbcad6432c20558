import csv

import numpy as np
import pytest
from PIL import Image

from keras_vit.errors import DataWarning, InputError
from keras_vit.training.data import load_data


@pytest.fixture
def images(tmp_path):
    (tmp_path / "images").mkdir()
    for number in range(30):
        Image.new("RGB", (20, 16), (number, 0, 0)).save(tmp_path / "images" / f"{number}.png")
    return tmp_path


def write(folder, header, rows, name="table.csv", delimiter=","):
    with open(folder / name, "w", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])
    return f"table:{folder / name}"


def rows(labels=("cat", "dog"), splits=None):
    found = [[f"images/{number}.png", labels[number % len(labels)]] for number in range(30)]
    if splits:
        found = [[*row, splits[number % len(splits)]] for number, row in enumerate(found)]
    return found


def reds(split):
    return split.images[:][:, 0, 0, 0].tolist()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_each_row_is_an_image_with_its_label(delimiter, images):
    data = load_data(write(images, ["Path", "label"], rows(), delimiter=delimiter), image_size=8)
    assert data.label_names == ("cat", "dog") and data.image_shape == (8, 8, 3)
    found = sorted(red for split in data.splits.values() for red in reds(split))
    assert found == list(range(30))
    for split in data.splits.values():
        assert [red % 2 for red in reds(split)] == split.labels.tolist()
    assert data.found[0] == "columns: image Path, label label"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_names_may_have_quotes_and_delimiters(delimiter, images):
    names = ('a "large" cat; red, or so', "'dog'", "1;5", "1,5")
    late = [[f"images/{number % 30}.png", "'dog'"] for number in range(600)]  # quotes after 8 KB
    data = load_data(
        write(images, ["path", "label"], late + rows(names), delimiter=delimiter),
        image_size=8,
        label_kind="class",
    )
    assert set(data.label_names) == set(names)


def test_an_index_of_pandas_is_no_label(images):
    import pyarrow.parquet

    labels = [(number % 2 == 1, number % 3 == 0) for number in range(30)]
    write(images, ["", "path", "striped", "round"], [[29 - i, rows()[i][0], *labels[i]] for i in range(30)])
    columns = {"path": [row[0] for row in rows()], "striped": [a for a, _ in labels]}
    columns |= {"round": [b for _, b in labels], "__index_level_0__": list(range(30))}
    pyarrow.parquet.write_table(pyarrow.table(columns), images / "table.parquet")
    for name in ("table.csv", "table.parquet"):
        data = load_data(f"table:{images / name}", image_size=8, label_column="*")
        assert data.label_kind == "several" and data.label_names == ("striped", "round")
        assert [red % 2 for red in reds(data.train)] == data.train.labels[:, 0].tolist()


def test_parquet_is_read_as_csv_is(images):
    import pyarrow.parquet

    table = {"file_name": [row[0] for row in rows()], "class": [number % 3 for number in range(30)]}
    pyarrow.parquet.write_table(pyarrow.table(table), images / "table.parquet")
    data = load_data(f"table:{images / 'table.parquet'}", image_size=8)
    assert data.label_names == ("0", "1", "2")
    assert [red % 3 for red in reds(data.train)] == data.train.labels.tolist()


def test_a_column_names_the_splits(images):
    spec = write(images, ["path", "label", "split"], rows(splits=("Training", "train", "valid", "test")))
    data = load_data(spec, image_size=8)
    assert [len(split) for split in data.splits.values()] == [16, 7, 7]
    assert all(red % 4 == 3 for red in reds(data.test))


def test_a_column_of_another_meaning_is_not_taken_for_splits(images):
    spec = write(images, ["path", "label", "set"], rows(splits=("lego", "train")))
    assert load_data(spec, image_size=8).found[:2] == (
        "columns: image path, label label",
        "column set is not taken for splits: it says 'lego', 'train'",
    )
    with pytest.raises(InputError, match="Expected column set .* to say train, .* received 'lego'"):
        load_data(spec, image_size=8, split_column="set")


def test_splits_are_not_made_anew_where_a_few_rows_say_something_else(images):
    spec = write(images, ["path", "label", "split"], rows(splits=("train", "val", "test", "holdout")))
    with pytest.raises(InputError, match="received 'holdout'. Correct these rows; .* split_column=new"):
        load_data(spec, image_size=8)


@pytest.mark.parametrize(
    ("name", "values", "shown"),
    [
        ("split", ("train", "holdout"), "received 'holdout'"),
        ("split", ("train", "eval"), "received 'eval'"),
        ("Split", ("train", ""), "received nothing"),
        ("split", ("0", "1"), "received '0', '1'"),
        ("partition", ("a", "b"), "received 'a', 'b'"),
        ("set", ("Train", "HoldOut"), "received 'HoldOut'"),
        ("subset", ("0", "1"), "received '0', '1'"),
        ("phase", ("train", "test"), "Column phase .* says 'test', 'train', .* set split_column=phase"),
        ("Usage", ("Training", "PublicTest"), "Column Usage .* says 'PublicTest', 'Training'"),
        ("is_valid", ("True", "False"), "Column is_valid .* says 'False', 'True'"),
        ("in_test_set", ("0", "1"), "Column in_test_set .* says '0', '1'"),
    ],
)
def test_a_column_that_seems_to_hold_rows_out_is_not_passed_over(images, name, values, shown):
    given = [[f"images/{i}.png", "cat" if i % 4 < 2 else "dog", values[i % 2]] for i in range(30)]
    spec = write(images, ["path", "label", name], given)
    with pytest.raises(InputError, match=f"{shown}.*split_column=new"):
        load_data(spec, image_size=8)
    anew = load_data(spec, image_size=8, split_column="new")
    assert len(anew.train) > 15 and anew.found[0] == "columns: image path, label label"


@pytest.mark.parametrize("name", ["colour", "is_round", "is_hidden"])
@pytest.mark.parametrize("values", [("train", "tram"), ("0", "1"), ("oval", "train"), ("dev", "test")])
def test_other_columns_are_passed_over_as_ever(images, name, values):
    given = [[f"images/{i}.png", "cat" if i % 4 < 2 else "dog", values[i % 2]] for i in range(30)]
    data = load_data(write(images, ["path", "label", name], given), image_size=8)
    assert data.found == ("columns: image path, label label",)


def test_of_two_columns_that_may_be_splits_the_one_that_says_them_is_taken(images):
    given = [[*row, "ab"[n % 2]] for n, row in enumerate(rows(splits=("train", "train", "val", "test")))]
    data = load_data(write(images, ["path", "label", "split", "subset"], given), image_size=8)
    assert len(data.test) == 7
    assert data.found[:2] == (
        "columns: image path, label label, split split",
        "column subset is not taken for splits: it says 'a', 'b'",
    )
    given = [[*row, ("test", "train")[n % 2]] for n, row in enumerate(rows(splits=("train", "test")))]
    spec = write(images, ["path", "label", "split", "subset"], given)
    with pytest.raises(InputError, match="says the splits. split, subset can be it. Set split_column"):
        load_data(spec, image_size=8)


def test_numbers_are_classes_in_their_order(images):
    data = load_data(write(images, ["path", "label"], rows(labels=(10, 9, -1))), image_size=8)
    assert data.label_names == ("-1", "9", "10")


def test_columns_are_chosen(images):
    spec = write(images, ["path", "file", "animal"], [[f"no/{n}", *row] for n, row in enumerate(rows())])
    with pytest.raises(
        InputError, match=r"Which column .* is the image\? .* path, file can be it. Set image_"
    ):
        load_data(spec)
    with pytest.raises(InputError, match=r"is the label\? It has path, file, animal; none has a usual name"):
        load_data(spec, image_column="file")
    data = load_data(spec, image_column="file", label_column="animal", image_size=8)
    assert data.label_names == ("cat", "dog")


def test_files_that_are_absent_are_left_out_where_broken_ones_are(images):
    given = rows()
    spec = write(images, ["path", "label"], [["images/99.png", "cat"], *given, ["x.png", "dog"]])
    with pytest.warns(
        DataWarning, match="2 of 32 files .* are not there: .*99.png, .*x.png. They are left out"
    ):
        data = load_data(spec, image_size=8, skip_broken=True)
    whole = load_data(write(images, ["path", "label"], given), image_size=8)
    for name, split in whole.splits.items():
        assert data.splits[name].names() == split.names()
        np.testing.assert_array_equal(data.splits[name].labels, split.labels)
        np.testing.assert_array_equal(data.splits[name].images[:], split.images[:])
    with pytest.raises(InputError, match="1 of 1 file that .* names is not there: .*x.png"):
        load_data(write(images, ["path", "label"], [["x.png", "dog"]]), skip_broken=True)


@pytest.mark.parametrize("delimiter", [",", "|"])
def test_fields_may_be_long(delimiter, images):
    header, given = ["path", "label", "outline"], [[*row, "1 2;" * 40_000] for row in rows()]
    data = load_data(write(images, header, given, delimiter=delimiter), image_size=8)
    assert data.label_names == ("cat", "dog")
    assert csv.field_size_limit() == 131_072


def test_a_quotation_mark_without_an_end_is_named(images):
    spec = write(images, ["path", "label"], rows())
    text = (images / "table.csv").read_text().replace("images/5.png", '"images/5.png')
    (images / "table.csv").write_text(text + "images/0.png,cat\n" * 20_000)
    with pytest.raises(
        InputError, match=r"received 1 in row 6. A quotation mark \(\"\) .* has no end"
    ) as error:
        load_data(spec)
    assert len(str(error.value)) < 300


def test_lines_above_the_names_of_the_columns_are_pointed_out(images):
    write(images, ["path", "label"], rows())
    text = (images / "table.csv").read_text()
    (images / "table.csv").write_text(f"# made by hand\n{text}")
    with pytest.raises(InputError, match="Expected 1 value in .*made by hand.* Remove what stands above"):
        load_data(f"table:{images / 'table.csv'}")


def test_other_encodings_are_refused_with_the_command_that_converts(images):
    write(images, ["path", "label"], rows(labels=("chaton", "b\u00e9b\u00e9")))
    text = (images / "table.csv").read_text()
    (images / "table.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="UTF-8, but byte .* `iconv -f WINDOWS-1252 -t UTF-8`"):
        load_data(f"table:{images / 'table.csv'}")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_encodings_that_the_first_bytes_mark_are_read(images, encoding):
    spec = write(images, ["path", "label"], rows(labels=("chaton", "b\u00e9b\u00e9")))
    mark = "" if encoding == "utf-8-sig" else "\ufeff"
    content = (mark + (images / "table.csv").read_text()).encode(encoding)
    (images / "table.csv").write_bytes(content)
    assert load_data(spec, image_size=8).label_names == ("b\u00e9b\u00e9", "chaton")
    if mark:
        (images / "table.csv").write_bytes(content[:-1])
        with pytest.raises(InputError, match="to be UTF-(16|32), but byte .* is not. It is damaged or cut"):
            load_data(spec)


def test_backslashes_separate_folders_where_the_files_are_there(images):
    given = [[path.replace("/", "\\"), label] for path, label in rows()]
    data = load_data(write(images, ["path", "label"], given), image_size=8)
    assert data.found[1].startswith("30 paths have backslashes in column path")
    assert sum(len(split) for split in data.splits.values()) == 30
    spec = write(images, ["path", "label"], [[f"C:\\data\\{path}", label] for path, label in rows()])
    with pytest.raises(InputError, match="30 of 30 files .* are not there: .* with slashes, not backslashes"):
        load_data(spec)


@pytest.mark.parametrize("start", ["https://example.com/", "file:///data/", "s3://bucket/"])
def test_rows_with_urls_are_called_so(images, start):
    spec = write(images, ["path", "label"], [*rows(), [f"{start}1.png", "cat"]])
    match = f"1 of 31 files .* not there: {start}1.png. 1 row has a URL, such as {start}1.png: download"
    with pytest.raises(InputError, match=match):
        load_data(spec)


def test_files_whose_endings_are_left_out_are_recognized(images):
    spec = write(images, ["path", "label"], [[path.removesuffix(".png"), label] for path, label in rows()])
    with pytest.raises(InputError, match="are not there: .*images/0.png is there: write the endings"):
        load_data(spec)


def test_rows_without_a_path_are_named_by_row(images):
    import pyarrow.parquet

    table = {"path": [None, *[row[0] for row in rows()], None], "label": [0, 1] * 16}
    pyarrow.parquet.write_table(pyarrow.table(table), images / "table.parquet")
    with pytest.raises(InputError, match="^Column path of .*table.parquet is empty in rows 1, 32. Correct"):
        load_data(f"table:{images / 'table.parquet'}")
    with pytest.warns(DataWarning, match="is empty in rows 1, 32. They are left out"):
        data = load_data(f"table:{images / 'table.parquet'}", image_size=8, skip_broken=True)
    assert all((red + 1) % 2 == label for red, label in zip(reds(data.train), data.train.labels, strict=True))
    with pytest.raises(InputError, match="Column path of .*table.csv is empty in row 31"):
        load_data(write(images, ["path", "label"], [*rows(), ["", "cat"]]))


def test_a_tilde_is_the_home_folder(images, monkeypatch):
    monkeypatch.setenv("HOME", str(images))
    spec = write(images, ["path", "label"], [[f"~/{path}", label] for path, label in rows()])
    assert len(load_data(spec, image_size=8).train) > 20


@pytest.mark.parametrize("kind", ["bytes", "bytes and path"])
def test_bytes_of_images_are_called_so_and_not_printed(images, kind):
    import pyarrow.parquet

    contents = [(images / row[0]).read_bytes() for row in rows()]
    column = [{"bytes": content, "path": "a.png"} if "and" in kind else content for content in contents]
    table = {"image": column, "label": [0, 1] * 15, "name": [row[0] for row in rows()]}
    pyarrow.parquet.write_table(pyarrow.table(table), images / "table.parquet")
    spec = f"table:{images / 'table.parquet'}"
    with pytest.raises(InputError, match=f"the bytes of images. data=hf:{images} reads these") as error:
        load_data(spec)
    assert len(str(error.value)) < 400 and "PNG" not in str(error.value)
    assert load_data(spec, image_column="name", image_size=8).label_names == ("0", "1")
    with pytest.raises(InputError, match="Expected texts or numbers in column image of .*, received bytes"):
        load_data(spec, image_column="name", label_column="image,label")
    with pytest.raises(InputError, match="Expected texts or numbers in column image of .*, received bytes"):
        load_data(spec, image_column="name", label_column="label", group="column:image", image_size=8)


def test_long_texts_in_place_of_paths_are_cut(images):
    spec = write(images, ["path", "label"], [*rows(), ["iVBORw0KGgo" * 20_000, "cat"]])
    with pytest.raises(InputError, match=r"iVBORw0KGgo.* \.\.\. \([0-9,]+ characters\)") as error:
        load_data(spec)
    assert len(str(error.value)) < 800


BAD = {
    "an unknown column": (["path", "label"], rows(), {"label_column": "klass"}, "received 'klass'"),
    "files that are absent": (
        ["path", "label"], [*rows(), ["images/99.png", "cat"], ["x.png", "dog"]], {},
        "2 of 32 files .* not there: .*images/99.png, .*x.png. Paths are relative to",
    ),
    "no label": (["path", "label"], [*rows()[:-1], ["images/3.png", " "]], {}, "is empty in row 30"),
    "fractions": (
        ["path", "label"],
        rows(labels=("0.5", "1.5")),
        {"label_kind": "class"},
        "numbers .* received 0.5",
    ),
    "a row that is too short": (["path", "label"], [*rows(), ["images/3.png"]], {}, "received 1 in row 31"),
    "two columns of one name": (
        ["path", "label", "label"], [[*row, "x"] for row in rows()], {}, "name label. Rename",
    ),
    "a column twice": (
        ["path", "label"], rows(), {"label_column": "label,label"}, "once, received label twice",
    ),
    "no rows": (["path", "label"], [], {}, "a row for each image"),
    "no training split": (["path", "label", "split"], rows(splits=("test",)), {}, "no row of the train"),
    "one class": (["path", "label"], rows(labels=("cat",)), {}, "two classes or more"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_tables_are_refused_with_the_fix(case, images):
    header, content, options, message = BAD[case]
    with pytest.raises(InputError, match=message):
        load_data(write(images, header, content), image_size=8, **options)


@pytest.mark.parametrize("name", ["absent.csv", "absent.parquet", "broken.parquet"])
def test_files_that_are_no_tables_are_refused(name, tmp_path):
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match=name):
        load_data(f"table:{tmp_path / name}")


def test_images_have_the_size_that_is_asked_for(images):
    data = load_data(write(images, ["path", "label"], rows()), image_size=(4, 6))
    assert np.asarray(data.train.images).shape == (len(data.train), 4, 6, 3)


def test_several_label_columns_are_read(images):
    rows = [(f"images/{i}.png", i % 2, (i // 2) % 2, 1.5 * i) for i in range(30)]
    spec = write(images, ("path", "striped", "round", "weight"), rows)
    data = load_data(spec, image_size=8, label_column="striped,round")
    assert data.label_kind == "several" and data.label_names == ("striped", "round")
    assert sum(split.labels.sum() for split in data.splits.values()) == 29
    every = load_data(spec, image_size=8, label_column="*")
    assert every.label_kind == "numbers" and every.label_names == ("striped", "round", "weight")
    for split in every.splits.values():
        assert [1.5 * red for red in reds(split)] == split.labels[:, 2].tolist()


def test_a_folder_with_a_table_is_read_by_it(images):
    Image.new("RGB", (20, 16)).save(images / "images" / "extra.png")
    write(
        images,
        ("file", "tags"),
        [(f"images/{i}.png", "a;b" if i % 3 else "") for i in range(30)],
        "labels.csv",
    )
    data = load_data(f"folder:{images}", image_size=8, label_kind="several")
    assert data.label_names == ("a", "b") and sum(len(split) for split in data.splits.values()) == 30
    assert data.found[0] == "labels are those of labels.csv: no folder is a class"
    assert any(
        "1 image that labels.csv does not name is left out: images/extra.png" in line for line in data.found
    )


def test_columns_need_a_table(tmp_path):
    with pytest.raises(InputError, match=r"label_column is for a table, and .* has no labels.csv"):
        load_data(f"folder:{tmp_path}", label_column="tags")
    (tmp_path / "labels.csv").write_text("path,label\n")
    with pytest.raises(InputError, match=r"class_folders is for class folders, and .* has labels.csv"):
        load_data(f"folder:{tmp_path}", class_folders="last")


def test_a_column_has_the_weight_of_each_image(images):
    rows = [(f"images/{i}.png", "cat" if i % 2 else "dog", i / 10) for i in range(30)]
    data = load_data(write(images, ("path", "label", "w"), rows), image_size=8, weight_column="w")
    for split in data.splits.values():
        np.testing.assert_allclose(split.weights, np.array(reds(split)) / 10, rtol=1e-6)


@pytest.mark.parametrize(("value", "shown"), [("x", "'x' in row 1"), ("-1", "'-1'"), ("0", "only zeros")])
def test_bad_weights_are_refused(images, value, shown):
    rows = [(f"images/{i}.png", "cat" if i % 2 else "dog", value) for i in range(30)]
    with pytest.raises(InputError, match=f"weight of at least 0 .* column w .*, received {shown}"):
        load_data(write(images, ("path", "label", "w"), rows), image_size=8, weight_column="w")
