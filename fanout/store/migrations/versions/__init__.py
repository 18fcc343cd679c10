"""One module a revision, in the order of their numbers; one that was released is never edited."""
