"""A process of its own that writes to the record, for tests of several processes.

python -m tests.store.writer HOME RUN COUNT [URL]    writes whole runs: RUN-0, RUN-1, ...
python -m tests.store.writer HOME RUN half [URL]     writes half a run, says so, and waits
"""

from __future__ import annotations

import sys
from pathlib import Path

from fanout.errors import StoreError
from fanout.store.store import Store
from tests.store.samples import events, news, update


def main(home: str, run: str, how: str, url: str = "") -> None:
    store = Store.open(Path(home), url)
    if how == "half":
        told = events(run)
        store.write([update(told, until=len(told) // 2)])
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        store.close()
        return
    for number in range(int(how)):
        for one in news(events(f"{run}-{number}", tokens=10), 10):
            while True:
                try:
                    store.write([one])
                    break
                except StoreError:
                    # Another writer was quicker for longer than one call waits.
                    continue
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
