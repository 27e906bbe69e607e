"""Describe changes and values in words."""
