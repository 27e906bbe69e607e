"""Merge concurrent edits, and diff texts."""
