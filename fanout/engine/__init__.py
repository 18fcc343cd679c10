"""Start a run, look at it, stop it: the door to everything below."""
