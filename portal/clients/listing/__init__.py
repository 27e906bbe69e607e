"""List and search clients."""
