"""Run the portal with sample data and its own database (`python -m portal.demo`)."""
