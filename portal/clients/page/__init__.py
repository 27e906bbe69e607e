"""The client page."""
