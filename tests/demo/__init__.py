"""Test the demo's data: what it says, and how it moves to the present day."""
