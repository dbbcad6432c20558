"""Writes originals of timm and transformers with random weights: `pretrained_originals.py OUT [CASE ...]`.

Runs in the peers' environment. Each case becomes a folder with the weights as its library saves them and
`expected.npz`: images, logits, the output of every block and the gradient of the images. With
`--photos PHOTOS.npz` also the logits of these photographs, prepared by the library's own pipeline.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import torch
import torchvision_operators  # noqa: F401  before timm and transformers

warnings.filterwarnings("ignore")

SMALL = {"img_size": 16, "patch_size": 4, "embed_dim": 16, "depth": 2, "num_heads": 2, "mlp_ratio": 2}
SMALL = {**SMALL, "num_classes": 5}

TIMM = {
    "timm_vit": ("vit_tiny_patch16_224", {}),
    "timm_vit_gap": ("vit_base_patch16_224", {"global_pool": "avg", "class_token": False}),
    "timm_vit_miil": ("vit_base_patch16_224_miil", {"qkv_bias": False}),
    "timm_vit_rectangular": ("vit_tiny_patch16_224", {"img_size": (8, 24), "patch_size": (4, 8)}),
    "timm_vit_without_head": ("vit_tiny_patch16_224", {"num_classes": 0}),
    "timm_vit_registers": (
        "vit_medium_patch16_reg4_gap_256",
        {"reg_tokens": 4, "class_token": False, "no_embed_class": True, "init_values": 1e-5},
    ),
    "timm_vit_qk_norm": ("vit_tiny_patch16_224", {"qk_norm": True}),
    "timm_vit_grey": ("vit_tiny_patch16_224", {"in_chans": 1}),
    "timm_deit": ("deit_tiny_patch16_224", {}),
    "timm_deit_distilled": ("deit_tiny_distilled_patch16_224", {}),
    "timm_deit3": ("deit3_small_patch16_224", {"no_embed_class": True, "init_values": 1e-6}),
    "timm_dino": ("vit_small_patch16_224", {"num_classes": 0}),
    "timm_dinov2": ("vit_small_patch14_dinov2", {"init_values": 1e-5, "num_classes": 0}),
    "timm_dinov2_registers": (
        "vit_small_patch14_reg4_dinov2",
        {"init_values": 1e-5, "num_classes": 0, "reg_tokens": 4, "no_embed_class": True},
    ),
    "timm_dinov2_giant": (
        "vit_giant_patch14_dinov2",
        {"init_values": 1e-5, "num_classes": 0, "mlp_ratio": 4},
    ),
    "timm_dinov3": ("vit_small_patch16_dinov3", {"num_classes": 0, "num_reg_tokens": 4}),
    "timm_dinov3_biases": (
        "vit_small_patch16_dinov3_qkvb",
        {"num_reg_tokens": 1, "img_size": (8, 24), "patch_size": (4, 8), "global_pool": "token"},
    ),
    "timm_dinov3_plus": (
        "vit_small_plus_patch16_dinov3_qkvb",
        {"num_heads": 1, "mlp_ratio": 1.6, "use_fc_norm": True, "rope_temperature": 20.0},
    ),
    "timm_eva02": ("eva02_tiny_patch14_336", {"mlp_ratio": 4 * 2 / 3, "ref_feat_shape": (3, 5)}),
    "timm_eva02_norms": ("eva02_base_patch14_448", {"img_size": (8, 24), "patch_size": (4, 8)}),
    "timm_eva02_clip": ("eva02_base_patch16_clip_224", {"num_heads": 1, "mlp_ratio": 1.7}),
    "timm_clip": ("vit_base_patch16_clip_224", {}),
    "timm_clip_quickgelu": ("vit_base_patch16_clip_quickgelu_224", {}),
    "timm_siglip": ("vit_base_patch16_siglip_224", {"num_classes": 0}),
    "timm_siglip_so400m": ("vit_so400m_patch14_siglip_224", {"num_classes": 0}),
}

# Narrow forms of other models, whose stages are not blocks of a transformer.
NARROW = {"num_classes": 5}
NARROW_LEVIT = {"img_size": 64, "embed_dim": (32, 48), "key_dim": 8, "num_heads": (2, 3), "depth": (1, 2)}
MOBILE = {
    "timm_levit": ("levit_128s", {**NARROW, **NARROW_LEVIT}),
    "timm_levit_conv": ("levit_conv_128s", {**NARROW, **NARROW_LEVIT}),
    "timm_levit_without_head": ("levit_128s", {**NARROW_LEVIT, "num_classes": 0}),
    "timm_repvit": ("repvit_m0_9", {**NARROW, "img_size": 32, "embed_dim": (16, 32), "depth": (2, 1)}),
    "timm_repvit_one_head": (
        "repvit_m1_0",
        {**NARROW, "img_size": 48, "embed_dim": (16, 32), "depth": (2, 1), "distillation": False},
    ),
}

HF_SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "image_size": 16,
    "patch_size": 4,
}
# The configuration's class, the model's class, and other values of the configuration.
HUGGINGFACE = {
    "hf_vit": ("ViTConfig", "ViTForImageClassification", {"num_labels": 5}),
    "hf_vit_without_head": ("ViTConfig", "ViTModel", {"qkv_bias": False}),
    "hf_deit_distilled": ("DeiTConfig", "DeiTForImageClassificationWithTeacher", {"num_labels": 5}),
    "hf_dinov2": ("Dinov2Config", "Dinov2Model", {"mlp_ratio": 2}),
    "hf_dinov2_classifier": (
        "Dinov2Config",
        "Dinov2ForImageClassification",
        {"mlp_ratio": 2, "num_labels": 5},
    ),
    "hf_dinov2_giant": ("Dinov2Config", "Dinov2Model", {"mlp_ratio": 2, "use_swiglu_ffn": True}),
    "hf_dinov2_registers": (
        "Dinov2WithRegistersConfig",
        "Dinov2WithRegistersModel",
        {"mlp_ratio": 2, "num_register_tokens": 4},
    ),
    "hf_dinov3": (
        "DINOv3ViTConfig",
        "DINOv3ViTModel",
        {"num_register_tokens": 4, "image_size": [8, 24], "patch_size": [4, 8]},
    ),
    "hf_dinov3_without_biases": (
        "DINOv3ViTConfig",
        "DINOv3ViTModel",
        {"query_bias": False, "value_bias": False, "rope_theta": 20.0},
    ),
    "hf_dinov3_plus": (
        "DINOv3ViTConfig",
        "DINOv3ViTModel",
        {"num_register_tokens": 1, "use_gated_mlp": True, "hidden_act": "silu", "image_size": [8, 16]},
    ),
    "hf_clip": ("CLIPVisionConfig", "CLIPVisionModel", {}),
    "hf_clip_projection": ("CLIPVisionConfig", "CLIPVisionModelWithProjection", {"projection_dim": 6}),
    "hf_siglip": ("SiglipVisionConfig", "SiglipVisionModel", {}),
}
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HF_NORMALISATION = {
    "deit": IMAGENET,
    "dinov2": IMAGENET,
    "dinov3": IMAGENET,
    "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
}
# How the modules of a block are numbered, and whether there is a class token.
GOOGLE = {"google_augreg": (1, 2, 3, True), "google_big_vision": (0, 1, 0, False)}
# The processor of a family, and the size to which it resizes where it then crops.
HF_PROCESSORS = {
    "vit": ("ViT", None),
    "deit": ("DeiT", {"height": 18, "width": 18}),
    "dinov2": ("Bit", {"shortest_edge": 18}),
    "dinov3": ("DINOv3ViT", None),
    "clip": ("CLIP", {"shortest_edge": 16}),
    "siglip": ("Siglip", None),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--photos")
    options = parser.parse_intermixed_args()
    photos = dict(np.load(options.photos)) if options.photos else {}
    for name in options.cases or (*TIMM, *MOBILE, *HUGGINGFACE, *GOOGLE):
        write(name, options.out / name, list(photos.values()))


def write(name, folder, photos=()):
    torch.manual_seed(sum(map(ord, name)))
    folder.mkdir(parents=True)
    makers = {huggingface_original: HUGGINGFACE, google_original: GOOGLE}
    make = next((make for make, cases in makers.items() if name in cases), timm_original)
    model, blocks, mean, std = make(name, folder)
    outputs = []
    for block in blocks:
        block.register_forward_hook(lambda _, __, y: outputs.append(y[0] if isinstance(y, tuple) else y))
    channels, height, width = model.input_size
    images = torch.randint(0, 256, (2, height, width, channels)).float().requires_grad_()
    pixels = (images / 255 - torch.tensor(mean)) / torch.tensor(std)
    logits = answer(model(pixels.permute(0, 3, 1, 2)))
    direction = torch.randn(logits.shape)
    (logits * direction).sum().backward()
    arrays = {"images": images, "logits": logits, "direction": direction, "gradient": images.grad}
    arrays |= {f"block_{i}": y for i, y in enumerate(outputs)}
    if photos and name not in GOOGLE and channels == 3:
        if name in (*TIMM, *MOBILE):
            pipeline = timm_pipeline(model)
        else:
            pipeline = huggingface_pipeline(name, model, folder, {"image_mean": mean, "image_std": std})
        arrays["photo_logits"] = answer(model(torch.stack([pipeline(photo) for photo in photos])))
    np.savez_compressed(folder / "expected.npz", **{k: v.detach().numpy() for k, v in arrays.items()})


def timm_original(name, folder):
    import timm

    if name in MOBILE:
        architecture, arguments = MOBILE[name]
    else:
        architecture, arguments = TIMM[name][0], {**SMALL, **TIMM[name][1]}
    model = randomised(timm.create_model(architecture, **arguments).eval())
    timm.models.save_for_hf(model, folder, model_args=arguments, safe_serialization=True)
    size = arguments["img_size"]
    height, width = (size, size) if isinstance(size, int) else size
    channels = arguments.get("in_chans", 3)
    model.input_size = (channels, height, width)
    cfg = model.pretrained_cfg
    blocks = () if name in MOBILE else model.blocks
    return model, blocks, cfg["mean"][:channels], cfg["std"][:channels]


def timm_pipeline(model):
    import timm
    from PIL import Image

    config = timm.data.resolve_data_config({"input_size": model.input_size}, model=model)
    transform = timm.data.create_transform(**config)
    return lambda photo: transform(Image.fromarray(photo))


def huggingface_pipeline(name, model, folder, normalisation):
    """The family's processor on Pillow, if it has one; its settings are saved next to the weights."""
    import transformers

    _, height, width = model.input_size
    kind, size = HF_PROCESSORS[name.split("_")[1]]
    classes = (f"{kind}ImageProcessorPil", f"{kind}ImageProcessor")
    processor = next(getattr(transformers, c) for c in classes if hasattr(transformers, c))
    exact = {"height": height, "width": width}
    processor = processor(size=size or exact, **({"crop_size": exact} if size else {}), **normalisation)
    processor.save_pretrained(folder)
    return lambda photo: processor(photo, return_tensors="pt")["pixel_values"][0]


def answer(output):
    """The last output of a model of transformers: the head's, or the input of a head."""
    if isinstance(output, torch.Tensor):
        return output
    fields = ("logits", "image_embeds", "pooler_output", "last_hidden_state")
    value = next(output[field] for field in fields if output.get(field) is not None)
    return value if value.ndim == 2 else value[:, 0]


def huggingface_original(name, folder):
    import transformers

    config_name, model_name, arguments = HUGGINGFACE[name]
    config = getattr(transformers, config_name)(**{**HF_SMALL, **arguments})
    # ViT's pooler is a layer for pre-training: the class token is what others read.
    extra = {"add_pooling_layer": False} if model_name == "ViTModel" else {}
    model = randomised(getattr(transformers, model_name)(config, **extra).eval())
    model.save_pretrained(folder)
    size = config.image_size
    model.input_size = (3, *((size, size) if isinstance(size, int) else size))
    blocks = next(m for m in model.modules() if isinstance(m, torch.nn.ModuleList))
    return model, blocks, *HF_NORMALISATION.get(name.split("_")[1], ((0.5,) * 3, (0.5,) * 3))


def google_original(name, folder):
    """Random arrays under Google's names, read by timm's own function."""
    import timm

    attention, second_norm, mlp, has_token = GOOGLE[name]
    pool = {} if has_token else {"class_token": False, "global_pool": "map"}
    model = timm.create_model("vit_tiny_patch16_224", **{**SMALL, **pool}).eval()
    np.savez(folder / "weights.npz", **google_arrays(attention, second_norm, mlp, has_token))
    model.load_pretrained(str(folder / "weights.npz"))
    model.input_size = (3, 16, 16)
    return model, model.blocks, (0.5,) * 3, (0.5,) * 3


def google_arrays(attention, second_norm, mlp, has_token):
    dim, heads, hidden, classes = 16, 2, 32, 5
    rng = np.random.default_rng(attention)

    def random(*shape, add=0.0):
        return (add + rng.normal(size=shape) * 0.2).astype("float32")

    def norm(name):
        return {f"{name}/scale": random(dim, add=1.0), f"{name}/bias": random(dim)}

    def heads_of(name):
        parts = {f"{name}/{p}/kernel": random(dim, heads, dim // heads) for p in ("query", "key", "value")}
        parts |= {f"{name}/{p}/bias": random(heads, dim // heads) for p in ("query", "key", "value")}
        return parts | {
            f"{name}/out/kernel": random(heads, dim // heads, dim),
            f"{name}/out/bias": random(dim),
        }

    def mlp_of(name):
        first = {f"{name}/Dense_0/kernel": random(dim, hidden), f"{name}/Dense_0/bias": random(hidden)}
        return first | {f"{name}/Dense_1/kernel": random(hidden, dim), f"{name}/Dense_1/bias": random(dim)}

    positions = "Transformer/posembed_input/pos_embedding" if has_token else "pos_embedding"
    arrays = {"embedding/kernel": random(4, 4, 3, dim), "embedding/bias": random(dim)}
    arrays |= {positions: random(1, 16 + has_token, dim)} | norm("Transformer/encoder_norm")
    arrays |= {"head/kernel": random(dim, classes), "head/bias": random(classes)}
    for i in range(2):
        block = f"Transformer/encoderblock_{i}"
        arrays |= norm(f"{block}/LayerNorm_0") | norm(f"{block}/LayerNorm_{second_norm}")
        arrays |= heads_of(f"{block}/MultiHeadDotProductAttention_{attention}")
        arrays |= mlp_of(f"{block}/MlpBlock_{mlp}")
    if has_token:
        return arrays | {"cls": random(1, 1, dim)}
    arrays |= {"MAPHead_0/probe": random(1, 1, dim)} | norm("MAPHead_0/LayerNorm_0")
    arrays |= heads_of("MAPHead_0/MultiHeadDotProductAttention_0") | mlp_of("MAPHead_0/MlpBlock_0")
    return {f"params/{name}": array for name, array in arrays.items()}


@torch.no_grad()
def randomised(model):
    """Weights that all have an effect: none is zero, normalisations scale by about one."""
    for name, weight in model.named_parameters():
        scale = 0.2 if weight.ndim < 2 or "embed" in name or "token" in name else weight[0].numel() ** -0.5
        weight.normal_(0, scale)
        if weight.ndim == 1 and name.endswith(("weight", "gamma", "lambda1")):
            weight.add_(1)
    for name, statistic in model.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            statistic.normal_(0, 0.2)
            statistic.copy_(statistic.exp() if name.endswith("var") else statistic)
    return model


if __name__ == "__main__":
    main()
