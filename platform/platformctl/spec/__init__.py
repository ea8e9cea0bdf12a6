"""platform.toml: its model, how it is read, and how a command edits it."""
