"""What no NPU takes, whoever makes it: the compilers need a straight graph of known sizes."""

from keras_vit.export.doctor.finding import Finding, names

CONTROL = {"WHILE", "IF", "CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "HASHTABLE_FIND"}
WIDE = {"INT64", "FLOAT64", "COMPLEX64", "STRING"}


def npu(case):
    control = [operator for operator in case.operators if operator.kind in CONTROL]
    if control:
        yield Finding(
            "NPU",
            names(case.layers(control)),
            f"{control[0].kind}: control flow and variables are not compiled for an NPU",
            "export one step, with the state as input and output",
        )
    wide = [operator for operator in case.operators if operator.types & WIDE]
    if wide:
        yield Finding(
            "NPU",
            names(case.layers(wide)),
            f"computes with {', '.join(sorted(wide[0].types & WIDE))}, which NPUs do not have",
            "use int32 and float32",
        )
