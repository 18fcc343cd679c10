"""Looks at an installation and says what to do. Makes FANOUT_HOME at most, and pays nothing."""
