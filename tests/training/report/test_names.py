import pytest

from keras_vit.training.report.names import has_undrawable, picture_names


def test_ordinary_names_stay_as_they_are():
    assert picture_names(("cat", "Übergröße", "кошка", "γάτα")) == ["cat", "Übergröße", "кошка", "γάτα"]
    assert not has_undrawable(("cat", "γάτα"))


def test_a_long_name_loses_its_middle():
    (name,) = picture_names(("a very long name of a class, the end",), max_length=20)
    assert name == "a very long n\u2026he end" and len(name) == 20


def test_long_names_that_would_look_the_same_end_in_their_index():
    names = picture_names([f"n0208508500{i}-Chihuahua" for i in range(3)], max_length=10)
    assert len(set(names)) == 3 and max(map(len, names)) <= 10
    assert names[2].endswith("2")


@pytest.mark.parametrize("name", ["猫", "", "\n"])
def test_a_name_that_the_font_cannot_draw_becomes_its_index(name):
    assert picture_names(("a", name)) == ["a", "class 1"]
    assert has_undrawable((name,))
