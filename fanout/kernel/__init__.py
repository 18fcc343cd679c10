"""Fan out, ask, combine: slots, deadlines, retries and cancellation."""
