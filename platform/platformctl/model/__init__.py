"""Frozen values: what platform.toml says, what follows from it, and what is there."""
