"""Images are prepared as the original pipelines prepare them."""

import dataclasses
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_vit import pretrained
from keras_vit.errors import InputError
from keras_vit.io.images import read_image
from keras_vit.io.json_files import write_json
from keras_vit.io.preprocessing import GEOMETRIES
from keras_vit.pretrained import Preprocessing
from keras_vit.pretrained.families.huggingface import preprocessing_of, preprocessor_config

ROOT = Path(__file__).parent.parent.parent
FIXTURES = Path(__file__).parent.parent / "pretrained" / "fixtures"
PEERS = os.environ.get("KERAS_VIT_PEERS_PYTHON")
DATA = Path(os.environ.get("KERAS_VIT_SHARED_DATA", ROOT.parent / "shared/data"))
PHOTO = np.random.default_rng(0).integers(0, 256, (40, 60, 3)).astype("uint8")
CASES = {
    "center": Preprocessing((24, 24), 0.875),
    "center_bilinear": Preprocessing((24, 24), 0.9, interpolation="bilinear"),
    "center_rectangular": Preprocessing((24, 40), 0.95),
    "squash": Preprocessing((24, 32), 0.9, "squash"),
    "border": Preprocessing((24, 32), 1.0, "border", mean=(0.485, 0.456, 0.406)),
    "enlarged": Preprocessing((96, 96), 1.0, "center"),
}
# A processor of transformers, and its preprocessor_config.json on the hub.
PROCESSORS = {
    "hf_clip_projection": ("CLIP", {"size": 32, "crop_size": 32, "do_center_crop": True, "resample": 3}),
    "hf_deit_distilled": ("DeiT", {"size": 36, "crop_size": 32, "do_center_crop": True, "resample": 3}),
    "hf_dinov2_registers": (
        "Bit",
        {"size": {"shortest_edge": 36}, "crop_size": {"height": 32, "width": 32}, "resample": 3},
    ),
    "hf_siglip": ("Siglip", {"size": {"height": 32, "width": 32}, "resample": 3}),
    "hf_vit": ("ViT", {"size": 32}),
}
TRANSFORMERS = """
import sys, json, numpy as np
from pretrained_originals import LIBRARY
import transformers
photos = np.load(sys.argv[1]); out = {}
for name, (kind, stored) in json.loads(sys.argv[2]).items():
    processor = getattr(transformers, kind + "ImageProcessorPil").from_dict({**stored, "do_normalize": False})
    for key in photos.files:
        pixels = np.asarray(processor(photos[key])["pixel_values"][0])
        out[f"{name} {key}"] = (255 * pixels).round().transpose(1, 2, 0)
np.savez(sys.argv[3], **out)
"""
TIMM = """
import sys, json, numpy as np
from pretrained_originals import LIBRARY
from PIL import Image
from timm.data.transforms_factory import transforms_imagenet_eval
photos = np.load(sys.argv[1]); cases = json.loads(sys.argv[2]); out = {}
for name, fields in cases.items():
    transform = transforms_imagenet_eval(**fields, normalize=False)
    for key in photos.files:
        out[f"{name} {key}"] = np.asarray(transform(Image.fromarray(photos[key]))).transpose(1, 2, 0)
np.savez(sys.argv[3], **out)
"""


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_result_has_the_models_size_and_range(case):
    image = case(PHOTO)
    assert image.shape == (*case.image_size, 3) and image.dtype == np.uint8


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_images_of_any_number_of_channels_are_prepared_channel_by_channel(channels):
    case = Preprocessing.of("letterbox", (24, 32))
    images = np.concatenate([PHOTO, PHOTO], axis=-1)[..., :channels]
    expected = [case(PHOTO)[..., i % 3] for i in range(channels)]
    np.testing.assert_array_equal(case(images), np.stack(expected, axis=-1))


def test_each_geometry_shows_the_part_of_the_image_that_it_names():
    wide = np.zeros((20, 60, 3), "uint8")
    wide[:, 20:40] = 200  # the centre square
    crop, letterbox, stretch = (Preprocessing.of(name, 20)(wide) for name in GEOMETRIES)
    assert (crop == 200).all()
    assert (letterbox[:6] == 128).all() and (letterbox[14:] == 128).all()
    assert (letterbox[8, [0, -1]] == 0).all() and (letterbox[8, 10] == 200).all()
    assert (stretch[:, [0, -1]] == 0).all() and (stretch[:, 10] == 200).all()
    tall = wide.transpose(1, 0, 2)
    assert (Preprocessing.of("center_crop", 20)(tall) == 200).all()
    assert [Preprocessing.of(name, 8).geometry for name in GEOMETRIES] == list(GEOMETRIES)


def test_stretching_is_pillows_bilinear_filter():
    expected = Image.fromarray(PHOTO).resize((32, 24), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(Preprocessing.of("stretch", (24, 32))(PHOTO), np.asarray(expected))


@pytest.mark.parametrize("shape", [(2, 900), (900, 2)])
@pytest.mark.parametrize("mode", ["center", "shortest_edge"])
@pytest.mark.parametrize("rounded", [True, False])
def test_of_a_very_long_image_the_crop_alone_is_computed_with_the_same_result(
    shape, mode, rounded, monkeypatch
):
    case = Preprocessing((64, 64), 0.9, mode, "bilinear", rounded=rounded)
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype("uint8")
    found = case(image).astype(float)
    monkeypatch.setattr("keras_vit.io.preprocessing._LONG", float("inf"))
    # Pillow's box has float32 edges: some halves are rounded the other way.
    np.testing.assert_allclose(found, case(image), atol=1 if rounded else 0.01)


def test_an_image_that_has_no_room_when_it_is_resized_as_a_whole_is_prepared():
    line = np.zeros((1, 40_000_000, 1), "uint8")
    assert Preprocessing((64, 64), mean=(0.5,), std=(0.5,))(line).shape == (64, 64, 1)


@pytest.mark.parametrize("shape", [(1, 5000), (5000, 1), (1, 1)])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_an_image_of_a_single_row_or_pixel_keeps_one(shape, geometry):
    assert Preprocessing.of(geometry, (32, 48))(np.zeros((*shape, 3), "uint8")).shape == (32, 48, 3)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (Preprocessing.of("center_crop", 64), "the centre square, resized to 64 x 64 (bilinear)"),
        (Preprocessing.of("stretch", (32, 64)), "the whole image, stretched to 32 x 64 (bilinear)"),
        (
            Preprocessing.of("center_crop", (32, 64)),
            "the centre 64:32 rectangle, resized to 32 x 64 (bilinear)",
        ),
        (
            Preprocessing((224, 224), 0.875),
            "the centre square, of it the middle 87.5 %, resized to 224 x 224 (bicubic)",
        ),
        (
            Preprocessing((8, 8), crop_mode="border"),
            "the whole image, resized to fit into 8 x 8 (bicubic), the rest the mean colour",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_people_read_what_is_done_to_an_image(case, words):
    assert case.words == words


def test_files_of_earlier_versions_lack_the_grey_of_the_border():
    fields = dataclasses.asdict(Preprocessing((8, 8), crop_mode="border"))
    del fields["fill"]
    assert Preprocessing.from_json(fields, "x") == Preprocessing((8, 8), crop_mode="border")
    for wrong in ({**fields, "magic": 1}, {k: v for k, v in fields.items() if k != "mean"}, []):
        with pytest.raises(
            InputError, match="Expected an object with background, crop_mode, crop_ratio, fill, image_size"
        ):
            Preprocessing.from_json(wrong, "x")


def test_grey_images_keep_one_channel():
    assert Preprocessing((24, 24))(PHOTO[..., :1]).shape == (24, 24, 1)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK"])
def test_images_of_every_mode_get_the_channels_of_the_weights(mode):
    image = Image.fromarray(PHOTO).convert(mode)
    assert Preprocessing((24, 24))(image).shape == (24, 24, 3)
    assert Preprocessing((24, 24), mean=(0.5,), std=(0.5,))(image).shape == (24, 24, 1)


def test_unrounded_pixels_differ_by_less_than_a_grey_level():
    case = Preprocessing((24, 32), crop_mode="squash", interpolation="bilinear")
    exact = dataclasses.replace(case, rounded=False)(PHOTO)
    assert exact.dtype == np.float32 and (exact % 1 != 0).any()
    assert np.abs(exact - case(PHOTO)).max() <= 1  # Pillow rounds after each of its two passes


def test_mean_and_std_are_inside_the_model():
    model = pretrained.load(FIXTURES / "timm_deit3")
    pixels = np.full((1, 16, 16, 3), 200, "float32")
    expected = (pixels / 255 - model.preprocessing.mean) / model.preprocessing.std
    np.testing.assert_allclose(np.asarray(model.get_layer("scaling")(pixels)), expected, rtol=1e-6)


def test_preprocessing_can_be_had_without_the_model_and_for_another_size():
    assert pretrained.preprocessing(FIXTURES / "hf_clip_projection").mean[0] == 0.48145466
    assert pretrained.preprocessing(FIXTURES / "timm_vit", image_size=(8, 12)).image_size == (8, 12)


CROPPED = {"size": 224, "crop_size": 224, "do_center_crop": True}


@pytest.mark.parametrize(
    ("name", "stored", "mode", "ratio"),
    [
        ("hf_clip_projection", CROPPED, "shortest_edge", 1),
        ("hf_deit_distilled", {**CROPPED, "size": 256}, "squash", 0.875),
        ("hf_deit_distilled", {"do_resize": True}, "squash", 0.875),
        ("hf_vit", {"size": 224}, "squash", 1),
        ("hf_dinov2_registers", {"size": {"shortest_edge": 256}}, "shortest_edge", 0.875),
    ],
)
def test_sizes_have_the_meaning_of_the_familys_processor(name, stored, mode, ratio, tmp_path):
    folder = shutil.copytree(FIXTURES / name, tmp_path / name)
    write_json(folder / "preprocessor_config.json", stored)
    found = pretrained.preprocessing(folder, image_size=224)
    assert (found.crop_mode, found.crop_ratio) == (mode, ratio)


def test_the_corner_of_the_crop_is_rounded_as_in_transformers_and_timm():
    image = np.arange(7, dtype="uint8")[None, :, None].repeat(4, axis=0)
    assert Preprocessing((4, 4), mean=(0.5,), std=(0.5,))(image)[0, 0, 0] == 2
    assert Preprocessing((4, 4), crop_mode="shortest_edge")(image)[0, 0, 0] == 1


def test_transformers_settings_are_the_same_after_writing_and_reading():
    for case in (
        Preprocessing((224, 224), 0.875, "shortest_edge"),
        Preprocessing((224, 224), 0.875, "squash"),
        Preprocessing((384, 384), 1.0, "squash", "bilinear"),
    ):
        again = preprocessing_of({"preprocessor_config": preprocessor_config(case, "ViT")}, Preprocessing())
        assert again == case


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("image_size", (0, 8), r"image_size of the preprocessing\[0\] from 1 to 8,192, received 0"),
        ("image_size", 224, r"image_size of the preprocessing to be a tuple of 2, received 224 \(int\)"),
        ("crop_ratio", float("nan"), "crop_ratio of the preprocessing from 0.01 to 100, received nan"),
        ("crop_ratio", True, r"crop_ratio of the preprocessing to be float, received True \(bool\)"),
        ("mean", (0.5, 0.5), "mean of the preprocessing to be a tuple of 1 or a tuple of 3, received"),
        ("mean", ("0.5",), r"mean of the preprocessing\[0\] to be float, received '0.5' \(str\)"),
        ("std", (0.5, 0.0, 0.5), r"std of the preprocessing\[1\] from 1e-12 to 1,000,000.0, received 0.0"),
        ("interpolation", "box", "one of nearest, bilinear, bicubic, lanczos, received 'box'"),
        ("rounded", 1, r"rounded of the preprocessing to be bool, received 1 \(int\)"),
    ],
)
def test_a_field_that_does_not_fit_is_refused_by_name(field, value, message):
    with pytest.raises(InputError, match=message):
        Preprocessing(**{field: value})(PHOTO)


def test_unknown_settings_and_invalid_images_are_refused():
    with pytest.raises(InputError, match="center, shortest_edge, squash, border"):
        Preprocessing(crop_mode="wide")(PHOTO)
    with pytest.raises(InputError, match="uint8 image"):
        Preprocessing()(PHOTO.astype("float32"))


def photographs():
    if not PEERS:
        pytest.skip("KERAS_VIT_PEERS_PYTHON does not name a Python with timm and transformers")
    if not (DATA / "photos").is_dir():
        pytest.skip("shared data with photographs are not here")
    paths = sorted(p for p in (DATA / "photos").iterdir() if p.suffix in (".jpg", ".png"))
    return {path.stem: read_image(path) for path in paths} | {"noise": PHOTO}


def made_by(program, photos, cases, folder):
    np.savez(folder / "photos.npz", **photos)
    command = [PEERS, "-c", program, folder / "photos.npz", json.dumps(cases), folder / "out.npz"]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(ROOT / "benchmarks/workers")})
    return np.load(folder / "out.npz")


def test_the_pipeline_of_timm_returns_the_same_pixels_for_photographs(tmp_path):
    photos = photographs()
    cases = {**CASES, "augreg": Preprocessing((224, 224), 0.9), "wide": Preprocessing((160, 256), 0.875)}
    fields = {
        name: {
            "img_size": list(case.image_size),
            "crop_pct": case.crop_ratio,
            "crop_mode": case.crop_mode,
            "interpolation": case.interpolation,
            "mean": case.mean,
        }
        for name, case in cases.items()
    }
    theirs = made_by(TIMM, photos, fields, tmp_path)
    for name, case in cases.items():
        for key, photo in photos.items():
            np.testing.assert_array_equal(case(photo), theirs[f"{name} {key}"], err_msg=f"{name} {key}")


def test_the_processors_of_transformers_return_the_same_pixels_for_photographs(tmp_path):
    photos = photographs()
    theirs = made_by(TRANSFORMERS, photos, PROCESSORS, tmp_path)
    for name, (_, stored) in PROCESSORS.items():
        folder = shutil.copytree(FIXTURES / name, tmp_path / name)
        write_json(folder / "preprocessor_config.json", stored)
        ours = pretrained.preprocessing(folder, image_size=32)
        for key, photo in photos.items():
            np.testing.assert_array_equal(ours(photo), theirs[f"{name} {key}"], err_msg=f"{name} {key}")
