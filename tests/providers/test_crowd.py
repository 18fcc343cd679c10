"""Many answers at once: read less often, and nothing else is different for it."""

from __future__ import annotations

import pytest
from anyio import BrokenResourceError

from fanout.errors import ProviderError
from fanout.kernel.attempt import attempt
from fanout.policies import RateFacts
from fanout.providers.base import Done, TextPiece
from fanout.providers.crowd import BEAT_S, FEW, LONGEST_S, Crowd, unhurried
from fanout.providers.openai_compatible import OpenAICompatible
from fanout.providers.script import Fault, Reply
from fanout.providers.scripted_server import serving
from fanout.types import Deadlines, FailureKind
from tests.providers.asking import chat, endpoint, failure_of_asking, one, told

TEXT = "First of all come words. " + "many more of them follow, " * 20 + "and an end."
MANY = 1000


class Heard:
    """What the kernel's side hears of an answer."""

    def __init__(self) -> None:
        self.pieces: list[TextPiece] = []
        self.at_s: list[float] = []

    def opened(self, rates: RateFacts) -> None: ...

    def thought(self, pieces: int, after_s: float) -> None: ...

    def wrote(self, piece: TextPiece, after_s: float) -> None:
        self.pieces.append(piece)
        self.at_s.append(after_s)

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)

    @property
    def turns(self) -> int:
        """How many times words came after nothing had come for a while."""
        gaps = zip(self.at_s, self.at_s[1:], strict=False)
        return 1 + sum(after - before > 0.05 for before, after in gaps)


async def heard(reply: Reply, crowd: Crowd, deadlines: Deadlines | None = None) -> Heard:
    found = Heard()
    with serving(one(reply)) as server:
        provider = OpenAICompatible(endpoint(server.base_url), crowd=crowd)
        done = await attempt(provider, chat(), deadlines or Deadlines(), found)
        await provider.aclose()
    assert isinstance(done, Done)
    return found


def test_a_few_answers_are_read_as_they_come() -> None:
    assert Crowd().pause_s == 0
    assert Crowd(FEW).pause_s == 0


@pytest.mark.parametrize("flowing", [FEW + 1, 100, 5000])
def test_the_more_answers_flow_the_longer_each_is_left_alone(flowing: int) -> None:
    pause_s = Crowd(flowing).pause_s
    assert FEW / 1000 < pause_s <= LONGEST_S + BEAT_S
    assert flowing < 100 or pause_s >= LONGEST_S - 0.001


async def test_in_a_crowd_words_come_together_and_all_of_them_in_order() -> None:
    # They are written 5 ms apart.
    found = await heard(Reply(text=TEXT, tokens_per_s=200), Crowd(MANY))
    assert found.text == TEXT
    assert sum(piece.pieces for piece in found.pieces) >= 90
    assert found.turns >= 3


async def test_a_first_word_waits_for_nothing() -> None:
    found = await heard(Reply(text="One two three four five six.", tokens_per_s=10), Crowd(MANY))
    assert found.pieces[0].pieces == 1


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.CUT_OFF, FailureKind.CONNECTION),
        (Fault.NO_FINISH, FailureKind.TRUNCATED),
        (Fault.DROPPED, FailureKind.CONNECTION),
        (Fault.ERROR_IN_STREAM, FailureKind.SERVER),
    ],
)
async def test_what_goes_wrong_in_a_crowd_is_told_as_ever(fault: Fault, kind: FailureKind) -> None:
    reply = Reply(text=TEXT, tokens_per_s=100, fault=fault, fault_after=20)
    kinds = []
    for crowd in (Crowd(), Crowd(MANY)):
        with serving(one(reply)) as server:
            provider = OpenAICompatible(endpoint(server.base_url), crowd=crowd)
            kinds.append((await failure_of_asking(provider, chat())).kind)
            await provider.aclose()
    assert kinds == [kind, kind]


async def test_silence_in_a_crowd_is_noticed_by_the_same_deadline() -> None:
    found = Heard()
    reply = Reply(text=TEXT, tokens_per_s=100, fault=Fault.STALL_MIDWAY, fault_after=20)
    with serving(one(reply)) as server:
        provider = OpenAICompatible(endpoint(server.base_url), crowd=Crowd(MANY))
        with pytest.raises(ProviderError) as raised:
            await attempt(provider, chat(), Deadlines(idle_s=0.5), found)
        await provider.aclose()
    assert raised.value.failure.kind is FailureKind.TIMEOUT_IDLE
    assert TEXT.startswith(found.text)
    assert sum(piece.pieces for piece in found.pieces) == 20


async def test_an_answer_that_goes_on_outlives_its_idle_deadline_many_times() -> None:
    deadlines = Deadlines(idle_s=0.3)
    for crowd in (Crowd(), Crowd(MANY)):
        found = await heard(Reply(text=TEXT, tokens_per_s=120), crowd, deadlines)
        assert found.text == TEXT
        assert found.at_s[-1] - found.at_s[0] > 2 * 0.3


async def test_who_has_ended_is_counted_no_more_and_the_connection_serves_the_next() -> None:
    crowd = Crowd(MANY)
    with serving(one(Reply(text=TEXT))) as server:
        provider = OpenAICompatible(endpoint(server.base_url), crowd=crowd)
        for _ in range(2):
            assert (await told(provider, chat()))[0] == TEXT
            assert crowd.flowing == MANY
        async with provider.stream(chat()) as items:
            async for item in items:
                if isinstance(item, TextPiece):
                    break
        assert crowd.flowing == MANY
        await provider.aclose()


class Stream:
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        raise BrokenResourceError


class Flowing:
    flowing = True


async def test_a_stream_is_its_own_again_whatever_happened_to_it() -> None:
    stream, crowd = Stream(), Crowd()
    with pytest.raises(BrokenResourceError), unhurried(stream, Flowing(), crowd):
        assert "read" in vars(stream)
        await stream.read(1)
    assert not vars(stream)
    assert crowd.flowing == 0


async def test_a_stream_that_cannot_be_slowed_down_is_read_as_ever() -> None:
    with unhurried(None, Flowing(), Crowd(MANY)):
        pass
