"""Show clients and products."""
