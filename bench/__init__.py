"""Measure the performance targets on the real portal (`make bench`)."""
