"""The Docker runtime: Compose prints and starts, the engine tells what is there."""
