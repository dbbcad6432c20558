"""Training from pretrained weights: which of them are trained, and at which rates."""
