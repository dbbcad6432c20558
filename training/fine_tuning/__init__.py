"""Training that begins with pretrained weights: what of them is trained, and how fast."""
