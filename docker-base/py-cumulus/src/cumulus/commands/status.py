"""Exit status of a command that could not do its work."""

FAILED = 2
