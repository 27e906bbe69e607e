"""The client list and its search."""
