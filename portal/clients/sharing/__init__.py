"""Restricted clients, access grants and reassignment."""
