"""Loops inside the graph, which is what Keras makes of recurrent layers."""

from keras_vit.export.doctor.finding import Finding, names


def loops(case):
    found = [operator for operator in case.operators if operator.kind == "WHILE"]
    if found:
        yield Finding(
            "int8",
            names(case.layers(found)),
            "is a WHILE loop over the steps: full int8 of it crashes the process, and no delegate takes it",
            "export one step, with the state as input and output, and run the loop in the app",
        )
