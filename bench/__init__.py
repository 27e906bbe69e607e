"""Measures what ARCHITECTURE.md promises, on the real portal. Started by `make bench`; no part of the portal."""
