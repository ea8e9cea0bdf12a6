"""What is kept with a platform: its secrets, its lock."""
