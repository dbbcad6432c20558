"""A model of images as its exported files compute it: its form, its inputs, its checks."""
