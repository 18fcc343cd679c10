"""The event-stream decoder gives the same payloads wherever the network cuts the bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanout.providers import sse


def decoded(*parts: bytes) -> list[bytes]:
    decoder = sse.Decoder()
    found = [payload for part in parts for payload in decoder.feed(part)]
    return found + decoder.flush()


@pytest.mark.parametrize(
    ("stream", "payloads"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(b"data: a\n\ndata: b\n\n", [b"a", b"b"], id="two events"),
        pytest.param(b"data:a\n\n", [b"a"], id="no space after the colon"),
        pytest.param(b"data:  a\n\n", [b" a"], id="only one space is dropped"),
        pytest.param(b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"], id="windows line ends"),
        pytest.param(b"data: a\r\rdata: b\r\r", [b"a", b"b"], id="lone carriage returns"),
        pytest.param(b": ping\n\ndata: a\n\n: pong\n\n", [b"a"], id="comments"),
        pytest.param(b"event: x\nid: 7\ndata: a\nretry: 1\n\n", [b"a"], id="other fields"),
        pytest.param(b"data: a\ndata: b\n\n", [b"a\nb"], id="several lines of one event"),
        pytest.param(b"data\n\n", [b""], id="a field without a value"),
        pytest.param(b"dataset: a\n\n", [], id="a field that only starts alike"),
        pytest.param(b"\n\n\ndata: a\n\n\n\n", [b"a"], id="blank lines around"),
        pytest.param(b"data: a\n\ndata: b", [b"a", b"b"], id="no blank line at the end"),
        pytest.param(b"\xef\xbb\xbfdata: a\n\n", [b"a"], id="byte order mark"),
        pytest.param(b'data: {"a":1}\n\ndata: [DONE]\n\n', [b'{"a":1}', b"[DONE]"], id="done"),
    ],
)
def test_an_event_stream_is_read_as_the_standard_says(stream: bytes, payloads: list[bytes]) -> None:
    assert decoded(stream) == payloads


_TEXT = st.text(
    st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=12
)
_ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def event_streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    end = draw(_ENDS)
    stream, payloads = "", []
    for lines in draw(st.lists(st.lists(_TEXT, min_size=1, max_size=3), max_size=5)):
        stream += draw(
            st.sampled_from(["", f": comment{end}", f"event: message{end}", f":{end}{end}"])
        )
        stream += "".join(f"data: {line}{end}" for line in lines) + end
        payloads.append("\n".join(lines).encode())
    return stream.encode(), payloads


@given(event_streams(), st.data())
def test_cuts_at_any_byte_change_nothing(
    made: tuple[bytes, list[bytes]], data: st.DataObject
) -> None:
    stream, payloads = made
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    parts = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert decoded(*parts) == payloads


@given(event_streams())
def test_one_byte_at_a_time_changes_nothing(made: tuple[bytes, list[bytes]]) -> None:
    stream, payloads = made
    assert decoded(*(stream[i : i + 1] for i in range(len(stream)))) == payloads


def test_an_event_leaves_with_the_read_that_completes_it() -> None:
    decoder = sse.Decoder()
    assert decoder.feed(b"data: a\n") == []
    assert decoder.feed(b"\nda") == [b"a"]
    assert decoder.feed(b"ta: b\n\n") == [b"b"]


def test_an_event_that_never_ends_is_given_up() -> None:
    decoder = sse.Decoder()
    with pytest.raises(sse.EventTooLong):
        for _ in range(20):
            decoder.feed(b"x" * 1024 * 1024)
