"""Batches carried out: their rows read, prepared, worked on and measured."""
