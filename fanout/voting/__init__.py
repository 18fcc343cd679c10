"""Votes, ranks and scores as plain values: counted, compared and never guessed."""
