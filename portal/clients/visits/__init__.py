"""Record which version of a client each profile has seen, and when, and find what has changed since."""
