"""A process of a shared Fanout without its pages, for tests of what several of them do together.

python -m tests.processes.peer PERSON RUNS MAX_TOKENS [REQUESTS_PER_MINUTE]

The settings come from the environment, as everybody's. It says "ready", waits for a line, presses
Run so many times at once for that person, and prints what came of it as one JSON object: ids of the
runs, and why others were refused. It ends when its standard input does.
"""

from __future__ import annotations

import json
import sys
import threading
from dataclasses import replace

from fanout.engine.runtime import Runtime
from fanout.errors import InputError
from fanout.people import Person, PersonId
from fanout.policies import EndpointPolicy
from fanout.settings import ENVIRONMENT
from fanout.types import ModelRef
from fanout.workflows.parsing import parse


def main(person: str, runs: str, max_tokens: str, per_minute: str = "") -> None:
    branches = [
        {"id": name, "title": name, "prompt": f"{name}: {{topic}}", "max_tokens": int(max_tokens)}
        for name in ("one", "two")
    ]
    pair = parse({"title": "Pair", "branches": branches}, name="pair")
    with Runtime.from_environment() as whole:
        assert not whole.problems, whole.problems
        book = whole.engine.endpoints
        if per_minute:
            policy = EndpointPolicy(requests_per_minute=int(per_minute))
            book.change(replace(book.get(ENVIRONMENT), policy=policy))
        assert whole.visitors is not None
        own = whole.visitors.of(Person(id=PersonId(person)))
        begun: list[str] = []
        refused: list[str] = []

        def press() -> None:
            try:
                model = ModelRef(endpoint=ENVIRONMENT, model="scripted")
                begun.append(own.engine.start(pair, person, model).id)
            except InputError as error:
                refused.append(str(error))

        print("ready", flush=True)
        sys.stdin.readline()
        threads = [threading.Thread(target=press) for _ in range(int(runs))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(json.dumps({"begun": begun, "refused": refused}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
