"""What is kept with a platform: its lock, the marks of drains, its secrets."""
