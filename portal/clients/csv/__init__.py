"""Import and export client records as six CSV files."""
