"""Runs training steps of timm's Vision Transformer on request: `timm_step.py PRECISION CORE`."""

import json
import os
import resource
import sys
import time

precision, core = sys.argv[1], int(sys.argv[2])
os.sched_setaffinity(0, {core})

import torch  # noqa: E402  after the affinity is set
import torchvision_operators  # noqa: E402, F401, I001  before timm
from timm.models.vision_transformer import VisionTransformer  # noqa: E402

BATCH = 128


def build():
    return VisionTransformer(
        img_size=32,
        patch_size=4,
        num_classes=10,
        embed_dim=192,
        depth=9,
        num_heads=3,
        mlp_ratio=4,
        class_token=False,
        global_pool="avg",
    )


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = build().train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    images, labels = torch.randn(BATCH, 3, 32, 32), torch.randint(0, 10, (BATCH,))

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            loss = torch.nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    for line in sys.stdin:
        if line.strip() == "memory":
            answer = {"peak_gigabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)}
        else:
            started = time.process_time()
            step()
            answer = {"cpu_seconds": time.process_time() - started}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
