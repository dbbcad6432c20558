import inspect
import subprocess
import sys

import pytest

from keras_vit import export


def test_listing_the_public_functions_loads_neither_keras_nor_tensorflow():
    program = (
        "import sys, keras_vit.export as export\n"
        "print(*[name for name in export.__all__ if name in dir(export)])\n"
        "print(*({'keras', 'tensorflow', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "Int8Training benchmark examine export_model int8_footprint load_predictor",
        "",
    ], done.stderr


@pytest.mark.parametrize("name", ["benchmark", "export_model", "int8_footprint", "load_predictor"])
def test_a_public_function_is_annotated_and_has_an_example(name):
    function = getattr(export, name)
    signature = inspect.signature(function)
    kinds = [parameter.annotation for parameter in signature.parameters.values()]
    assert inspect.Parameter.empty not in (*kinds, signature.return_annotation)
    assert all(f"{part}:" in function.__doc__ for part in ("Args", "Returns", "Raises", "Example"))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="No keras_vit.export attribute exprot_model"):
        export.exprot_model  # noqa: B018
