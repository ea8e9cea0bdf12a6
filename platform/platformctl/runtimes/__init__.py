"""What carries a platform: a Docker engine."""
