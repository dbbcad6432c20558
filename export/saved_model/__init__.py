"""Writes, checks and serves SavedModels."""
