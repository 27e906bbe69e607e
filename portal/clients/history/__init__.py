"""Show the history of a client record, undo changes and return the changes since a version."""
