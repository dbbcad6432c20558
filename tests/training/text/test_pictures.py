import warnings

from keras_vit.text.vocabulary import build_vocabulary
from keras_vit.training.report.style import drawing, save
from keras_vit.training.text.pictures import bigram_picture


def test_characters_without_a_glyph_are_shown_by_their_code_points_and_none_leaves_the_picture(tmp_path):
    texts = ["a b\N{CJK UNIFIED IDEOGRAPH-6728}\N{WOMAN}\N{LINE SEPARATOR}"]
    with drawing(), warnings.catch_warnings():
        warnings.simplefilter("error")
        canvas = bigram_picture(texts, texts, build_vocabulary(texts))
        save(canvas, tmp_path / "following.png")
        labels = canvas.axes[0].get_yticklabels()
        assert {label.get_text() for label in labels} == {
            *("\\n", "\N{OPEN BOX}", "a", "b", "\\u2028", "6728", "1F469")
        }
        below = canvas.axes[1].get_xticklabels()
        boxes = sorted((label.get_window_extent() for label in below), key=lambda box: box.x0)
        assert all(left.x1 < right.x0 for left, right in zip(boxes, boxes[1:], strict=False))
        assert all(axes.yaxis.label.get_window_extent().x0 >= 0 for axes in canvas.axes)
