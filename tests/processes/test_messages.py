"""What goes over a line arrives whole, in parts where it must, and nonsense does no harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.relay.messages import Act, Joiner, Look, Message, News, Told, Watch, parts

MESSAGES: tuple[Message, ...] = (
    Watch(by="a" * 32, run="r", go=1, first=0),
    Look(run="r", go=2),
    Told(id="x", problem="“Nein”, sagte sie – \x00"),
    Act(id="x", by="a", run="r", act="combine", spec={"kind": "table"}),
    News(run="r", go=1, first=5, count=2, now=1.5, lines="noise é\u2028" * 4000),
)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.kind)
@pytest.mark.parametrize("longest", [120, 7_900, 1_000_000])
def test_a_message_comes_out_as_it_went_in(message: Message, longest: int) -> None:
    joiner = Joiner()
    texts = parts(message, longest)
    assert all(text.isascii() and "\x00" not in text and len(text) <= longest for text in texts)
    *begun, last = [joiner.take(text) for text in texts]
    assert begun == [None] * len(begun)
    assert last == message


def test_parts_of_several_messages_may_come_mixed_up_but_none_may_be_missing() -> None:
    one, two = (News(run=r, go=1, first=0, count=1, now=0, lines=r * 900) for r in "ab")
    joiner = Joiner()
    mixed = [t for both in zip(parts(one, 60), parts(two, 60), strict=True) for t in both]
    came = [message for text in mixed if (message := joiner.take(text)) is not None]
    assert came == [one, two]
    holed = parts(one, 60)
    del holed[1]
    assert [joiner.take(text) for text in holed] == [None] * len(holed)
    assert [joiner.take(text) for text in parts(two, 60)][-1] == two


@given(st.text(max_size=80) | st.builds("p{}/{}/{}/{}".format, *[st.text(max_size=6)] * 4))
def test_what_makes_no_sense_is_no_message(text: str) -> None:
    assert Joiner().take(text) is None


def test_a_text_that_unfolds_to_too_much_is_dropped() -> None:
    import base64
    import zlib

    bomb = "z" + base64.b64encode(zlib.compress(b"[" * 50_000_000)).decode()
    assert Joiner().take(bomb) is None
