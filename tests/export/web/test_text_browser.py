"""The page of a character model in headless Chromium."""

import dataclasses

import keras
import numpy as np
import pytest

from keras_vit import InputError
from keras_vit.export.text.export import export_text
from keras_vit.export.text.readers import load_text_reader
from keras_vit.export.web.page import write_page
from keras_vit.models.char_rnn import char_rnn
from keras_vit.models.char_transformer import char_transformer
from keras_vit.text import Vocabulary, generate
from keras_vit.text.windows import line_windows

VOCABULARY = Vocabulary("\nabcdefg", unknown="unk")
MAX_LENGTH = 12
SIZES = {"vocabulary_size": len(VOCABULARY), "hidden_dim": 24, "seed": 0}
BUILDERS = {
    "gru": lambda: char_rnn("gru", num_layers=2, embedding_dim=5, **SIZES),
    "transformer": lambda: char_transformer(length=7, num_layers=2, num_heads=3, **SIZES),
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=BUILDERS)
def exported(request, tmp_path_factory):
    """A page, and what reads its file in Python."""
    folder = tmp_path_factory.mktemp("web")
    keras.utils.set_random_seed(0)
    model, random = BUILDERS[request.param](), np.random.default_rng(0)
    model.set_weights([w + random.normal(0, 0.4, w.shape) for w in model.get_weights()])
    windows = line_windows(["abc", "gfedcb", "aa"], VOCABULARY, 7)
    rows = export_text(model, VOCABULARY, windows, folder / "export", lines=True, variants=("fp32",))
    vocabulary = dataclasses.asdict(VOCABULARY)
    description = {"name": "letters", **vocabulary, "lines": True, "max_length": MAX_LENGTH}
    try:
        write_page(rows, folder / "export", folder / "page", "text", description)
    except InputError as error:
        pytest.skip(str(error))
    return folder / "page", load_text_reader(folder / "export" / "model_fp32.tflite")


def write(phone, **settings):
    for name, value in settings.items():
        phone.fill(f"#{name.replace('_', '-')}", str(value))
    phone.click("#write")
    phone.wait_for_selector("#texts[aria-busy=false]", state="attached")
    return [item.text_content() for item in phone.query_selector_all("#texts li")]


def test_the_page_streams_what_python_writes(exported, serve, phone):
    page, reader = exported
    phone.goto(serve(page))
    phone.wait_for_selector("body[data-ready]")
    cases = ({}, {"prefix": "ab", "temperature": 0.6, "top_k": 4, "seed": 2**40}, {"count": 8, "seed": 5})
    for number, options in enumerate(cases):
        if number == 2:  # without a network
            serve.stop()
            phone.context.set_offline(True)
            phone.reload()
            phone.wait_for_selector("body[data-ready]")
        count = options.get("count", 10)
        rest = {name: value for name, value in options.items() if name != "count"}
        expected = generate(reader, VOCABULARY, count, max_length=MAX_LENGTH, **rest)
        assert write(phone, **options) == expected
        assert len(set(expected)) > 1
        assert phone.inner_text("#time").endswith("ms a character on this device")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 375  # nothing to scroll sideways


def test_characters_appear_one_after_the_other_and_can_be_stopped(exported, serve, phone):
    phone.goto(serve(exported[0]))
    phone.wait_for_selector("body[data-ready]")
    phone.evaluate("""() => {
      const texts = document.querySelector("#texts");
      window.seen = [];
      const observer = new MutationObserver(() => window.seen.push(texts.textContent));
      observer.observe(texts, { childList: true, subtree: true });
    }""")
    texts = write(phone, count=5)
    seen = phone.evaluate("window.seen")
    lengths = sorted({len(text) for text in seen})
    assert lengths == list(range(len("".join(texts)) + 1))
    phone.fill("#count", "100")
    phone.click("#write")
    phone.click("#stop")
    phone.wait_for_selector("#texts[aria-busy=false]", state="attached")
    assert len(phone.query_selector_all("#texts li")) < 100


def test_a_prefix_with_unknown_characters_is_reported_and_the_next_one_works(exported, serve, phone):
    phone.goto(serve(exported[0]))
    phone.wait_for_selector("body[data-ready]")
    for prefix, message in (("a\nb", "one line"), ("a" * 13, "shorten it")):
        assert write(phone, prefix=prefix) == []
        assert message in phone.inner_text("#error")
    assert len(write(phone, prefix="a")) == 10 and phone.is_hidden("#error")
