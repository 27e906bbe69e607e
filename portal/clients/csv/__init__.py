"""Import and export client records as five CSV files."""
