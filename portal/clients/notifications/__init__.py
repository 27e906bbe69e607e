"""Show users their notifications: the list, the way to the place of each, and the choice of kinds."""
