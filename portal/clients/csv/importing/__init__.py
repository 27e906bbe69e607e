"""The CSV import."""
