"""Write client records. Every write uses these operations."""
