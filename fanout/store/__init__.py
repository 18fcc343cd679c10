"""The record of every run, for good: written as it happens, found again by search or by id."""
