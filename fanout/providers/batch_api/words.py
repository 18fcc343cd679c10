"""Why a request of a batch has no answer, said as a Failure."""

from __future__ import annotations

from fanout.types import Failure, FailureKind


def expired(name: str) -> Failure:
    return Failure(
        kind=FailureKind.SERVER,
        message=f"{name} ended the batch after its 24 hours before it came to this request. "
        "It is asked again in the next one.",
        retryable=True,
    )


def missing(name: str) -> Failure:
    return Failure(
        kind=FailureKind.SERVER,
        message=f"{name} said that its batch is complete, but it holds no answer to this request. "
        "It is asked again in the next one.",
        retryable=True,
    )


def cancelled(name: str) -> Failure:
    return Failure(
        kind=FailureKind.SERVER,
        message=f"The batch was cancelled at {name}, and not from here, before it came to this "
        "request. Retry the row to ask it again.",
    )


def lost(name: str) -> Failure:
    return Failure(
        kind=FailureKind.SERVER,
        message=f"{name} does not know this batch any more. Look there whether it was deleted, "
        "then retry the row to ask it again.",
    )


def no_file(name: str) -> Failure:
    return Failure(
        kind=FailureKind.SERVER,
        message=f"{name} does not have the file of this batch's answers any more. Look there "
        "whether it was deleted, then retry the row to ask it again.",
    )


def not_offered(name: str) -> Failure:
    return Failure(
        kind=FailureKind.BAD_RESPONSE,
        message=f"{name} has no Batch API. Run the batch with single calls, or choose another "
        "endpoint.",
    )


def no_room(name: str) -> Failure:
    return Failure(
        kind=FailureKind.RATE_LIMIT,
        message=f"{name} has had no room for this request in any batch for many hours. Wait until "
        "earlier batches there have ended, then retry the row.",
    )
