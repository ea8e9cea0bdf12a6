"""From what is wanted and what is there to ordered steps, and from steps to effects."""
