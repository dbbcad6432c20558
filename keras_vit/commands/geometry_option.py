"""How image files become the input of a model: as it is recorded, by `--geometry`, or stretched."""

from keras_vit.errors import InputError

GEOMETRIES = ("center_crop", "letterbox", "stretch")  # those of keras_vit.io.preprocessing


def add_geometry(parser):
    """Adds `--geometry`."""
    parser.add_argument(
        "--geometry",
        choices=GEOMETRIES,
        help="how images get the size of a model that has no record of it (default: stretch)",
    )


def preparation_for(found, shape, geometry=None):
    """Returns the `Preprocessing` of images for the input `(height, width, channels)` of a found model."""
    from keras_vit.io.preprocessing import Preprocessing

    *size, channels = shape
    known = found.preprocessing
    if known is None:
        return Preprocessing.of(geometry or "stretch", size, *[(0.5,) * channels] * 2)
    if geometry not in (None, known.geometry):
        raise InputError(
            f"{found.name} takes images with geometry {known.geometry}, received --geometry {geometry}. "
            "Leave it out."
        )
    return known.for_size(size)


def taken(found, preparation, geometry=None) -> str:
    """Returns in words how images are prepared, and why so."""
    if found.preprocessing is not None:
        return f"prepared as the weights expect: {preparation.words}"
    reason = "" if geometry else "; there is no preprocessing.json or record of it, --geometry changes it"
    return f"{preparation.words}{reason}"
