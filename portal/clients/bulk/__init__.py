"""Change several clients of the list at once."""
