"""The only importers of docker, python_on_whales and prefect, each translating its library's errors."""
