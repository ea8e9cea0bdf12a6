"""The only modules that import docker, python_on_whales, prefect, supervisor, psutil and uv. They translate the errors."""
