"""The local runtime: processes kept by a supervisor, virtual environments, and SQLite."""
