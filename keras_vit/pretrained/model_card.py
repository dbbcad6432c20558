"""The README.md of saved weights."""

from pathlib import Path

from keras_vit.io.json_files import read_json

LOADING = {
    "timm": 'import timm\n\nmodel = timm.create_model("local-dir:PATH", pretrained=True)',
    "huggingface": 'from transformers import {kind}\n\nmodel = {kind}.from_pretrained("PATH")',
}
LIBRARIES = {"timm": "timm", "huggingface": "transformers"}
MODEL_FIELDS = ("image_size", "patch_size", "hidden_dim", "num_layers", "num_heads", "mlp_dim", "pooling")


def model_card(arguments: dict, format: str, config: dict, labels: list[str] | None, run_dir) -> str:
    """Returns the text of a model card, with the recipe and the metrics of a run where there is one."""
    head = f"---\nlibrary_name: {LIBRARIES[format]}\ntags:\n- image-classification\n- keras_vit\n---\n"
    parts = [head, "# Vision Transformer\n", "Trained or converted with keras_vit.\n"]
    parts.append(_table("Model", {field: arguments[field] for field in MODEL_FIELDS}))
    if labels:
        parts.append(f"Classes: {', '.join(labels)}.\n")
    for title, name in (("Recipe", "recipe.json"), ("Metrics", "metrics.json")):
        path = Path(run_dir) / name if run_dir else None
        if path and path.is_file():
            parts.append(_table(title, _flat(read_json(path, dict))))
    loading = LOADING[format].replace("{kind}", *config.get("architectures", [""]))
    parts.append(f"## Use\n\n```python\n{loading}\n```\n")
    return "\n".join(parts)


def _table(title, values):
    rows = "\n".join(f"| {name} | {value} |" for name, value in values.items())
    return f"## {title}\n\n| field | value |\n| --- | --- |\n{rows}\n"


def _flat(values):
    """Returns numbers and strings, also of inner dicts; lists are too long for a card."""
    nested = {k: v for k, v in values.items() if isinstance(v, dict)}
    flat = {k: v for k, v in values.items() if isinstance(v, (int, float, str)) and v != ""}
    for name, group in nested.items():
        flat |= {f"{name} {k}": v for k, v in group.items() if isinstance(v, (int, float, str))}
    return {k: f"{v:.4g}" if isinstance(v, float) else str(v).replace("|", "/") for k, v in flat.items()}
