"""What may be spent: the worst case is set aside before each call, and settled after it."""
