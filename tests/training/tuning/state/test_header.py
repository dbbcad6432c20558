import pytest

from keras_vit import InputError
from keras_vit.training.recipes import find_recipe
from keras_vit.training.tuning.costs import Limits
from keras_vit.training.tuning.plan import plan
from keras_vit.training.tuning.state.header import check_same, header_of


def header(*assignments, threads=1, **options):
    return header_of(plan("vit_digits", ["epochs=3", *assignments], **options), threads)


def test_the_same_search_is_the_same_with_more_trials_and_other_threads():
    check_same(header(), header(trials=99, threads=8), "journal.jsonl")


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        (header(seed=1), "--seed was 0, is 1"),
        (header(tuner="asha"), "tuner was random, is asha"),
        (header("hidden_dim=32,64"), "hidden_dim was 16, 32, 48, 64, 96, is 32, 64"),
        (header("hidden_dim=32"), "hidden_dim was 16, 32, 48, 64, 96, is 32"),
        (header("precision=mixed_bfloat16"), "precision was float32, is mixed_bfloat16"),
        (header(subset=640), "subset was None, is 640"),
        (header(limits=Limits(max_params=9)), "max_params was left out, is 9"),
        (
            header(limits=Limits(max_params_ratio=0.5), reference=find_recipe("vit_digits").RECIPE),
            "--relative-to was left out, is batch_size=",
        ),
    ],
)
def test_another_search_is_refused_with_the_difference(changed, difference):
    with pytest.raises(InputError, match="journal.jsonl was started with another search") as refused:
        check_same(header(), changed, "journal.jsonl")
    assert difference in str(refused.value)
