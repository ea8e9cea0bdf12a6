"""One module a command: the phases it takes, and what it returns."""
