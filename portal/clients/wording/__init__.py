"""Changes and values in words."""
