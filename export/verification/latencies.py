"""Latencies that were measured on a phone, as `keras-vit benchmark --android --json FILE` writes them."""

import dataclasses
from pathlib import Path

from keras_vit.errors import ConditionError, InputError
from keras_vit.io.json_files import read_json

SIMILAR = 0.1  # two files of one variant and one model differ in size by less than this share


@dataclasses.dataclass(frozen=True)
class PhoneLatencies:
    """The fastest run of each file, by its name: of those on what was asked for, not on the CPU instead.

    Attributes:
        rows: dict from names such as `"model_fp32.tflite"` to the row of that run.
        phone: str, which one.
    """

    rows: dict
    phone: str

    def time(self, row: dict) -> None:
        """Writes `latency_ms` and `measured_on` into the row of an export.

        Raises:
            ConditionError: the file was not measured there, or one of another size was.
        """
        known = self.rows.get(row["file"])
        if known is None:
            raise ConditionError(f"{row['file']} was not measured on {self.phone}")
        if abs(known["bytes"] - row["size"]) > SIMILAR * row["size"]:
            raise ConditionError(
                f"the {row['file']} that was measured on {self.phone} has {known['bytes']:,} bytes, this one "
                f"{row['size']:,}: measure files of this model"
            )
        row["latency_ms"] = known["latency_ms"]
        row["measured_on"] = f"{self.phone}, {known['processor'].upper()}"


def read_latencies(path: str | Path | None) -> PhoneLatencies | None:
    """Reads a file of `keras-vit benchmark --android --json`, or raises InputError; None for no file."""
    if path is None:
        return None
    document = read_json(path)
    try:
        good = [row for row in document if row["latency_ms"] and not row["failure"] and not row["fell_back"]]
        found = {}
        for row in sorted(good, key=lambda row: -float(row["latency_ms"])):
            found[Path(row["file"]).name] = {
                "latency_ms": float(row["latency_ms"]),
                "bytes": int(row["bytes"]),
                "processor": str(row["processor"]),
            }
        phones = {str(row["phone"]["model"]) for row in good}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path} has no latencies of a phone. Write it: keras-vit benchmark FILE... --android --json "
            f"{path}"
        ) from error
    if len(phones) != 1:
        raise InputError(f"Expected the latencies of one phone in {path}, received those of {len(phones)}.")
    return PhoneLatencies(found, phones.pop())
