"""Prefect's API: what is asked of it, over plain HTTP and through its own client."""
