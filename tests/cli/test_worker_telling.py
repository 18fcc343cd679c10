"""What `python -m fanout worker` says of the batches that come and go."""

from __future__ import annotations

from pathlib import Path

import pytest

from fanout.batches import NewBatch, Row
from fanout.cli.worker import _Told
from fanout.engine.runtime import Runtime
from fanout.settings import ENVIRONMENT, Settings
from fanout.types import ModelRef


def test_a_batch_that_is_deleted_is_told_of_once_and_not_asked_for_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ModelRef(endpoint=ENVIRONMENT, model="m")
    new = NewBatch(title="B", workflow="w", definition={}, model=model)
    with Runtime(Settings.from_environment({"FANOUT_HOME": str(tmp_path)})) as runtime:
        batches = runtime.store.batches
        made = batches.create(new, [Row(number=1, topic="rain")])
        batches.resume(made)
        told = _Told(runtime, names=True)
        told.about(batches.open())
        batches.stop(made)
        batches.delete(made)
        told.about(batches.open())
        told.about(batches.open())
    first, last = capsys.readouterr().err.splitlines()
    assert f"B ({made}), running" in first
    assert last == f"Batch {made} was deleted."
