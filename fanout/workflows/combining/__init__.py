"""How results become one answer: one module per way of combining."""
