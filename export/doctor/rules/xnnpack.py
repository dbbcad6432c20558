"""What XNNPACK leaves to TFLite's own, slower kernels, as seen here."""

from export.doctor.finding import Finding, names

MENDS = {
    "UNPACK": "use keras.ops.split and no indexing along that axis",
    "STRIDED_SLICE": "use keras.ops.slice, without taking the axis away",
    "GATHER": "of token ids, this is how it has to be; else use keras.ops.slice",
    "PACK": "use keras.ops.concatenate",
    "WHILE": "export one step, with the state as input and output",
    "RESIZE_NEAREST_NEIGHBOR": 'use interpolation="bilinear"',
    "CONV_3D": "there is none; two-dimensional convolutions are taken",
}


def xnnpack(case):
    kinds = dict.fromkeys(operator.kind for operator in case.outside)
    for kind in kinds:
        these = [operator for operator in case.outside if operator.kind == kind]
        yield Finding(
            "XNNPACK",
            names(case.layers(these)),
            f"{len(these)} {kind} on {_types(these)} stays with TFLite's kernels, which cuts the graph",
            MENDS.get(kind, "nothing, where keras-vit benchmark shows that it takes little time"),
        )


def _types(operators):
    return ", ".join(sorted(set().union(*(operator.types for operator in operators))))
