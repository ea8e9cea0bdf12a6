"""Loading, checking and editing platform.toml. Its keys are in `model/spec.py`."""
