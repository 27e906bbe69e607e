"""The demo: the portal with sample data and a database of its own (`python -m portal.demo`)."""
