"""Makes timm importable next to a torchvision that was built for another torch.

Such a torchvision requires operators that it does not contain; the models need none of them. Import this
before timm or transformers.
"""

import torch

try:
    import torchvision  # noqa: F401  may be complete, absent or built for another torch
except ModuleNotFoundError:
    pass
except RuntimeError:
    LIBRARY = torch.library.Library("torchvision", "DEF")  # its declarations last as long as the object
    for operator in ("nms", "qnms"):
        LIBRARY.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
