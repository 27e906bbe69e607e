"""Enter the valuations of all products of a client for one day."""
