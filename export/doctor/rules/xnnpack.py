"""What XNNPACK leaves to TFLite's own, slower kernels, as seen here."""

from keras_vit.export.doctor.finding import Finding, by_mend, counted, names

MENDS = {
    "UNPACK": "use keras.ops.split and no indexing along that axis",
    "STRIDED_SLICE": "use keras.ops.slice, without taking the axis away",
    "GATHER": "of token ids, this is how it has to be; else use keras.ops.slice",
    "PACK": "use keras.ops.concatenate",
    "WHILE": "export one step, with the state as input and output",
    "RESIZE_NEAREST_NEIGHBOR": 'use interpolation="bilinear"',
    "CONV_3D": "there is none; two-dimensional convolutions are taken",
}


OTHERWISE = "nothing, where keras-vit benchmark shows that it takes little time"


def xnnpack(case):
    for mend, these in by_mend(case.outside, MENDS, OTHERWISE):
        yield Finding(
            "XNNPACK",
            names(case.layers(these)),
            f"{counted(these)} on {_types(these)}, with TFLite's own kernels, which cuts the graph",
            mend,
        )


def _types(operators):
    return ", ".join(sorted(set().union(*(operator.types for operator in operators))))
