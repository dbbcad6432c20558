"""Has timm or transformers load what keras_vit saved: `pretrained_answers.py FOLDER ...`.

Runs in the peers' environment. Each folder has a saved model and images.npy; answers.npy is written there.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from pretrained_originals import answer  # which also prepares torchvision


def main(folders):
    for folder in map(Path, folders):
        config = json.loads((folder / "config.json").read_text())
        images = torch.from_numpy(np.load(folder / "images.npy").astype("float32"))
        load = timm_model if "architecture" in config else huggingface_model
        model, mean, std = load(folder, config)
        pixels = (images / 255 - torch.tensor(mean)) / torch.tensor(std)
        with torch.no_grad():
            answers = answer(model.eval()(pixels.permute(0, 3, 1, 2)))
        np.save(folder / "answers.npy", answers.numpy())


def timm_model(folder, config):
    import timm

    model = timm.create_model(f"local-dir:{folder}", pretrained=True)
    return model, model.pretrained_cfg["mean"], model.pretrained_cfg["std"]


def huggingface_model(folder, config):
    import transformers

    kind = getattr(transformers, config["architectures"][0])
    extra = {"add_pooling_layer": False} if config["architectures"][0] in ("ViTModel", "DeiTModel") else {}
    model, report = kind.from_pretrained(folder, output_loading_info=True, **extra)
    wrong = [report[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys") if report[key]]
    if wrong:
        raise SystemExit(f"{folder}: transformers complains of {wrong}")
    processor = json.loads((folder / "preprocessor_config.json").read_text())
    return model, processor["image_mean"], processor["image_std"]


if __name__ == "__main__":
    main(sys.argv[1:])
