"""The bundle: the rendered files that a platform runs from, one module for each thing that carries it."""
