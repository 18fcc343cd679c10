"""How long and how much is collected for a provider's batch, and how patiently it is looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Collecting:
    """Seconds, but for the two limits. Source of those: OpenAI API reference, "Create batch"."""

    quiet_s: float = 5.0
    """A job is made once no new request came for so long."""
    longest_s: float = 60.0
    """The oldest request waits no longer than this for a job, however many still come."""
    most: int = 50_000
    """Requests in one job."""
    most_bytes: int = 32_000_000
    """Of one file, which is built in memory; 200 MB is what OpenAI takes."""
    look_s: float = 1.0
    """Between two looks at the database."""
    first_poll_s: float = 5.0
    longest_poll_s: float = 60.0
    """Between two looks at a job, growing from the first to the longest."""
    again_s: float = 2.0
    longest_again_s: float = 60.0
    """Between two tries where the provider fails, growing likewise."""
    give_up_s: float = 3600.0
    """A provider that fails for so long in handing over or fetching is given up."""
    sweep_s: float = 600.0
    """Between two cleanings of what was parked and answered."""
    stale_s: float = 120.0
    """A job whose process said nothing for so long is taken over."""
    room_s: float = 30.0
    """First wait where the provider has no room for more; it doubles up to `most_room_s`."""
    most_room_s: float = 900.0
