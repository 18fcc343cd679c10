"""The choice of a slot: free, holding the state, else alike, else unused the longest."""

from __future__ import annotations

from pathlib import Path

from fanout.providers.local.slots import SlotBook
from fanout.providers.local.state_folder import FOLDER, StateFolder
from fanout.providers.local.states import KEPT_S, SavedStates, State

TALE = "Once upon a time there was a lighthouse keeper. "


def test_every_call_has_a_slot_of_its_own_until_there_are_no_more() -> None:
    book = SlotBook(3)
    assert [book.take(text) for text in "abcd"] == [0, 1, 2, None]
    book.give_back(1, "b")
    assert book.take("e") == 1


def test_a_prompt_goes_where_its_beginning_still_is() -> None:
    book = SlotBook(3)
    for number, text in enumerate((TALE + "A", "Something else.", "And more.")):
        assert book.take(text) == number
    for number, text in enumerate((TALE + "A", "Something else.", "And more.")):
        book.give_back(number, text)
    assert book.take(TALE + "B") == 0
    assert book.take(TALE + "C") == 1, "the one that was used longest ago of those that are free"


def test_a_state_is_looked_for_before_a_prompt_that_is_alike() -> None:
    book = SlotBook(3)
    assert [book.take(text) for text in "abc"] == [0, 1, 2]
    book.give_back(2, TALE, "one.state")
    book.give_back(0, TALE + "A")
    book.give_back(1, "b")
    assert book.take(TALE + "B", "one.state") == 2
    assert book.holds(2, "one.state")
    assert book.take(TALE + "C", "one.state") == 0, "copied over the slot used longest ago"
    assert not book.holds(0, "one.state")
    book.give_back(2, TALE + "B")
    assert not book.holds(2, "one.state")


def test_what_the_server_placed_by_itself_may_have_overwritten_any_state() -> None:
    book = SlotBook(1)
    book.take(TALE)
    book.give_back(0, TALE, "one.state")
    book.take("a")
    assert book.take("b") is None
    assert not book.holds(0, "one.state")


def saved(folder: Path, text: str, *, tokens: int, size: int = 10, left: int = 2) -> State:
    state = State(text=text, tokens=tokens, left=left)
    (folder / state.name).write_bytes(b"x" * size)
    return state


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_a_state_is_found_by_its_text_until_its_last_call_has_it(tmp_path: Path) -> None:
    states = SavedStates(tmp_path)
    short, long = saved(tmp_path, "Once", tokens=5), saved(tmp_path, TALE, tokens=90, left=1)
    states.keep(short)
    states.keep(long)
    assert states.known(TALE + "A") is long
    assert states.known("Once more") is short
    assert states.known("Never") is None
    long.left -= 1
    await states.settle(long)
    assert states.known(TALE + "A") is short
    assert names(tmp_path) == {short.name}


async def test_the_oldest_states_make_room_and_none_is_larger_than_all(tmp_path: Path) -> None:
    states = SavedStates(tmp_path, most_bytes=100)
    old, new = (saved(tmp_path, text, tokens=9, size=45) for text in ("a", "b"))
    states.keep(old)
    states.keep(new)
    old.used_s -= 1
    assert await states.make_room(50)
    assert states.known("b") is new
    assert states.known("a") is None
    assert not await states.make_room(101)
    assert names(tmp_path) == {new.name}


async def test_a_state_that_is_being_read_is_not_deleted(tmp_path: Path) -> None:
    states = SavedStates(tmp_path, most_bytes=100)
    state = saved(tmp_path, "a", tokens=9, size=90, left=0)
    states.keep(state)
    state.readers = 1
    state.used_s -= KEPT_S + 1
    await states.tidy()
    await states.make_room(90)
    await states.settle(state)
    assert (tmp_path / state.name).exists()
    state.readers = 0
    await states.tidy()
    state.used_s -= KEPT_S + 1
    await states.tidy()
    assert not (tmp_path / state.name).exists()


def test_what_a_killed_process_left_behind_is_removed_and_what_is_in_use_stays(
    tmp_path: Path,
) -> None:
    killed, alive = StateFolder.open(tmp_path), StateFolder.open(tmp_path)
    assert killed is not None
    assert alive is not None
    (killed.path / "some.state").write_text("what somebody wrote")
    killed._lock.close()
    new = StateFolder.open(tmp_path)
    assert new is not None
    assert names(tmp_path / FOLDER) == {alive.path.name, new.path.name}
    for folder in (alive, new):
        folder.remove()
        folder.remove()
    assert names(tmp_path / FOLDER) == set()


def test_a_home_that_cannot_be_written_saves_nothing(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file stands in the way")
    assert StateFolder.open(tmp_path) is None
