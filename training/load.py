"""Data by name, of images, of text or of pairs of texts."""

from collections.abc import Callable
from typing import Annotated, Any

from rich.console import Console

from keras_vit.constraints import ReadBy, check_value
from keras_vit.errors import InputError
from keras_vit.io.preprocessing import Preprocessing
from keras_vit.training import data
from keras_vit.training.data import ImageData
from keras_vit.training.data.decoding import FULL, OF_DATA, color_of, window_of, with_decoding
from keras_vit.training.data.sources import check_read
from keras_vit.training.geometry import preparation, prepare_option
from keras_vit.training.text.corpus import TextData, is_text, load_text
from keras_vit.training.text.pairs import PairData, is_pairs, load_pairs


def load_data(
    spec: Any, *, validation_fraction: float = 0.1, test_fraction: float = 0.1, seed: int = 0, **options: Any
) -> ImageData | TextData | PairData:
    """Loads images, text or pairs of texts with a training, a validation and a test split.

    The splits of an image source are kept. Missing ones are taken from its training split: the same fraction
    of each class, chosen by `seed` and the images alone, with equal ones always in the same split. Lines of
    text are chosen by `seed` and the line, with equal lines in the same split; of running text the end is the
    test split and the part before it the validation split. Pairs of a file with one source are in the same
    split, those that a program makes with one target.

    Args:
        spec: str. Images: `"digits"` (1,797 images of 8 x 8 pixels, embedded), `"folder:PATH"` (class folders
            of image files, or images with a `labels.csv`), `"table:FILE"` (CSV or Parquet with a path and
            labels in each row), `"npz:PATH"` (arrays), `"tfds:NAME"` (TensorFlow Datasets), `"hf:NAME"`
            (Hugging Face `datasets`, from the hub or a folder), `"shards:PATH"` (what `keras-vit pack` wrote)
            or `"module:name"`. That is, or returns, what may also be given itself: `(images, labels)`, a
            `tf.data.Dataset` or a `keras.utils.PyDataset` of these, or a dict of them by split. Text:
            `"names"` (1,536 names of dinosaurs, embedded) or `"text:PATH"`, a file in UTF-8. Pairs of texts:
            `"dates"` or `"spelled_numbers"`, which a program makes with `seed`, or `"pairs:FILE"`, a CSV or
            TSV file with columns `source` and `target`, or else with these as its first two.
        validation_fraction: float in (0, 1), of what is left after the test split. Default: 0.1.
        test_fraction: float in (0, 1). Default: 0.1.
        seed: int, chooses the splits and the subset. Default: 0.
        **options: of images, of text or of pairs alone.

            Images:

            - `image_size`: int or `(height, width)` in pixels. Default: the source's own, of image files 224.
            - `geometry`: how others become that size with antialiased bilinear interpolation, as
              `keras_vit.pretrained.Preprocessing.of` does it: `"center_crop"` (default for images of varying
              size), `"letterbox"` or `"stretch"` (default for those of a fixed one).
            - `prepare`: function of a uint8 image that brings it to `image_size` instead of `geometry`, such
              as a `keras_vit.pretrained.Preprocessing`. Default: None.
            - `subset`: int, training images to keep, equally many of each class. Default: all.
            - `skip_broken`: bool, leaves out image files that cannot be read, with a warning that names them.
              Default: False.
            - `background`: str, the colour under transparent images. Default: white.
            - `sixteen_bit`: how images of 16 bits are scaled: `"full"` (default), `"data"` or
              `"LOW:HIGH"`.
            - `class_folders`: `"first"` or `"last"`, whether the outer or the innermost folders are the
              classes where both make sense. Default: such a folder is refused.
            - `image_column`, `label_column`, `split_column`, `weight_column`: str, columns of a table;
              several label columns are separated by commas, and `"*"` is all others; `split_column="new"`
              makes new splits whatever the columns say. Default: those with usual names, no weights.
            - `label_kind`: `"class"`, `"several"` (labels that each hold or not), `"numbers"` or `"soft"` (a
              share of each class). Default: as the labels show, which `found` says.
            - `group`: what stays on one side of every split that is made: `"folder"`, images with the same
              innermost folder, `"column:NAME"`, of a table, or `"pattern:REGEX"`, the first part in
              parentheses of the path within the folder. Default: equal images alone.
            - `near_duplicates`: bool, whether those stay together too. Default: where no `group` is given, of
              at most 20,000 images of 32 pixels or more and 256 MB of files.
            - `fold`: such as `"2/5"`: the second of five folds is the test split. Default: None.
            - `examine`: bool, reads all image files before it returns, and not only a sample of many.
              Default: False.
            - `caching`: bool, keeps decoded image files on the disk, in the folder that the variable
              `KERAS_VIT_CACHE` names, by default `~/.cache/keras_vit`. Default: True.
            - `data_dir`: str or Path, where TFDS keeps its data. Default: TFDS's own.

            Text:

            - `lines`: bool, one item a line, or running text. Default: True.
            - `lowercase`: bool. Default: False.
            - `window`: int, tokens that a model reads at once. Default: as the longest line needs, for
              running text 128.
            - `unknown`: `"unk"` gives characters that the training split lacks a token of their own. Default:
              `"error"`.

            Pairs:

            - `num_pairs`: int, how many a program makes. Default: 10,000.
            - `max_source` and `max_target`: ints, characters at most. Default: as the longest.
            - `lowercase` and `unknown`: as of text.

    Returns:
        ImageData, TextData or PairData.

    Raises:
        InputError: an unknown spec, missing or broken data, data unfit for training, or a group in two
            splits of the source.

    Warns:
        DataWarning: equal images or near-duplicates in two splits of the source, unbalanced classes or
            classes missing from a split, constant pixels, images that were left out.

    Example:
        >>> load_data("digits", image_size=16).image_shape
        (16, 16, 1)
        >>> len(load_data("names", lowercase=True).vocabulary)
        27
    """
    load = text_loader(spec)
    return (load or data.load_data)(
        spec,
        validation_fraction=validation_fraction,
        test_fraction=test_fraction,
        seed=seed,
        **(options if load else _with_geometry(spec, **options)),
    )


def text_loader(spec: Any) -> Callable[..., TextData | PairData] | None:
    """Returns the function that loads a spec of text or of pairs of texts, None for one of images."""
    if not isinstance(spec, str):
        return None
    return load_text if is_text(spec) else load_pairs if is_pairs(spec) else None


def show_data(data: ImageData | TextData | PairData, task: Any):
    """Prints what was found."""
    text = "\n".join(found_in(data, task))
    Console(stderr=True, soft_wrap=True, emoji=False).print(text, highlight=False, markup=False)


def found_in(data: ImageData | TextData | PairData, task: Any) -> list[str]:
    """Returns lines: how the source was read, what is in each split, and what a task does with it."""
    return [*data.summary(), *task.notes(data)]


def _with_geometry(spec, geometry=None, background=None, **options):
    """The options of a source, in which a geometry, a colour and a window are a function that prepares."""
    own, sixteen_bit = options.get("prepare"), options.get("sixteen_bit")
    if isinstance(spec, str):
        check_read(spec, {"background": background})
    if own is not None and geometry is not None:
        raise InputError(f"Expected geometry or prepare, received both: leave geometry={geometry} out.")
    check_value("background", background, Annotated[str | None, ReadBy(color_of)])
    check_value("sixteen_bit", sixteen_bit, Annotated[str | None, ReadBy(window_of)])
    if own is not None and not isinstance(own, Preprocessing):
        if background is not None or sixteen_bit not in (None, FULL, OF_DATA):
            raise InputError(
                "background and sixteen_bit=LOW:HIGH are for images that are prepared by a geometry or a "
                "Preprocessing, received a function as prepare. Leave them out."
            )
        return options
    known = own or preparation(geometry, spec, options.get("image_size"), options.get("data_dir"))
    return {**options, **prepare_option(with_decoding(known, background, sixteen_bit))}
