"""TODO signature."""
