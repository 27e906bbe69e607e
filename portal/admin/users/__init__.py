"""The user administration pages."""
