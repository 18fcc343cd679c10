"""What logs may say of batches: their ids in the place of titles, which are people's words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fanout.batches import Batch


def without_titles(notes: Iterable[str], batches: Sequence[Batch]) -> tuple[str, ...]:
    """Notes of a worker, each of which names its batch as `batch "Title"`."""
    return tuple(_without(note, batches) for note in notes)


def _without(note: str, batches: Sequence[Batch]) -> str:
    for batch in batches:
        note = note.replace(f'batch "{batch.title}"', f"batch {batch.id}")
    if 'batch "' in note:
        # One that isn't tended any more.
        return "A batch is left to others or waits; its page says why."
    return note
