"""Manage access to clients: restriction, grants and reassignment."""
