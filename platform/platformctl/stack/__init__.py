"""What runs: from a spec to services, images and deployments, as values."""
