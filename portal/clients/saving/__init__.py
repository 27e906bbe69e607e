"""The one path of every write to a client record."""
