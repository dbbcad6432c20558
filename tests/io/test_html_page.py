from html.parser import HTMLParser

import pytest

from keras_vit.io.html_page import clean, document, duration, frame, section, table


def tags(html):
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append(tag)
    parser.feed(html)
    return found


def test_the_title_is_escaped_in_head_and_heading():
    page = document("<b>a & b</b>", [])
    assert page.count("&lt;b&gt;a &amp; b&lt;/b&gt;") == 2 and "b" not in tags(page)


def test_empty_parts_of_a_page_are_left_out():
    assert document("a", ["", "<p>x</p>", ""]).count("\n\n") == document("a", ["<p>x</p>"]).count("\n\n")


def test_a_frame_contains_head_and_body_as_given():
    page = frame("a", "<link>", "<main></main>")
    assert tags(page) == ["html", "head", "meta", "meta", "title", "link", "body", "main"]


def test_the_first_row_of_a_table_is_its_header_and_cells_are_escaped():
    html = table([("name", "value"), ("<i>", 1)], name_columns=(0,))
    assert tags(html) == ["div", "table", "tr", "th", "th", "tr", "td", "td"]
    assert '<td class="name">&lt;i&gt;</td><td>1</td>' in html


def test_a_section_has_its_heading_before_its_content():
    assert section("Title", "<p>x</p>") == "<section>\n<h2>Title</h2>\n<p>x</p>\n</section>"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59.7, "1 min 0 s"), (100, "1 min 40 s"), (7260, "2 h 1 min")]
)
def test_durations_are_shown_in_hours_minutes_and_seconds(seconds, words):
    assert duration(seconds) == words


def test_a_name_is_one_line_of_valid_unicode():
    assert clean("a\n\tb\x00c") == "a b c"
    assert clean("caf\udce9").encode("utf-8") == b"caf?"
