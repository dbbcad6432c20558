"""Describes every Vision Transformer that timm can build: `timm_architectures.py OUT.json`.

Runs in the peers' environment; the models have shapes only, no memory.
"""

import json
import sys
import warnings

import torch
import torchvision_operators  # noqa: F401  before timm and transformers

warnings.filterwarnings("ignore")

import timm  # noqa: E402  after the filter


def describe(name):
    with torch.device("meta"):
        model = timm.create_model(name)
    block = model.blocks[0]
    cfg = model.pretrained_cfg
    return {
        "class": type(model).__name__,
        "block": type(block).__name__,
        "attention": type(getattr(block, "attn", None)).__name__,
        "norm": type(getattr(block, "norm1", None)).__name__,
        "mlp": type(getattr(block, "mlp", None)).__name__,
        "activation": _activation(getattr(block, "mlp", None)),
        "num_heads": getattr(getattr(block, "attn", None), "num_heads", None),
        "epsilon": getattr(getattr(block, "norm1", None), "eps", None),
        "global_pool": model.global_pool,
        "rotation": type(getattr(model, "rope", None)).__name__,
        "input_size": list(cfg["input_size"]),
        "tensors": {key: list(value.shape) for key, value in model.state_dict().items()},
    }


def _activation(mlp):
    kind = type(getattr(mlp, "act", None)).__name__
    return {"GELU": "gelu", "GELUTanh": "gelu_tanh", "QuickGELU": "quick_gelu", "SiLU": "swiglu"}.get(kind)


if __name__ == "__main__":
    modules = ("vision_transformer", "deit", "eva")
    names = [name for module in modules for name in timm.list_models(module=module)]
    with open(sys.argv[1], "w") as file:
        json.dump({name: describe(name) for name in names}, file)
