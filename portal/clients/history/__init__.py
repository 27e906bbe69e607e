"""The history, undo and the changes since a version."""
