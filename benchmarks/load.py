"""Fifty people at once: their runs, how old a word is when it reaches them, the server's weight.

    python benchmarks/load.py [--quick] [--sessions 50] [--minutes 5]

The real app, started by `streamlit run app.py`, with its record on disk. Each session (see
load_sessions) is a Streamlit session of its own that presses Run on a workflow of three branches
and a combined answer, again and again, and the board's socket beside it. The endpoint writes 25
tokens/s per branch, so that a run takes about twenty seconds; every word is the time at which it
was written (see stamping_endpoint), so it has an age when the board's socket brings it. What a
browser then takes to paint it, board.py measures. One stream more is read straight from the
endpoint: how old words are on this machine with nothing in between.

Endpoint, server and sessions are three processes that share this machine's cores, so on a small
one the ages are those of a busy machine: the shares of a core say how busy.

Goals: no error, every run complete, 95 of 100 words within 300 ms, memory flat.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.board import process  # noqa: E402
from benchmarks.load_scales import Weight, percentile, quarters, share_of_a_core, weigh  # noqa: E402
from tests.browser.conftest import Server, running_app  # noqa: E402
from tests.rig import free_port  # noqa: E402

TITLE = "Load"
TOKENS_PER_S = 25
WORDS, COMBINED_WORDS = 400, 100
LOOK_S = 1.0
GOAL_MS = 300
FLAT = 1.05
"""The last quarter's memory to that of the quarter before: more is not flat."""
WORKFLOW = (
    f"""
title = "{TITLE}"
[defaults]
max_tokens = {WORDS}
"""
    + "".join(
        f'[[branches]]\nid = "b{i}"\ntitle = "Branch {i}"\nprompt = "Part {i} about {{topic}}."\n'
        'model = "load/stamping"\n'
        for i in range(3)
    )
    + (
        f'[aggregate]\nmodel = "load/stamping"\nmax_tokens = {COMBINED_WORDS}\n'
        'prompt = "Combine:\\n{results}"\n'
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    told: dict
    """What the sessions saw."""
    weights: list[Weight]
    """The server's, once a second, from before the first session."""
    others: dict[str, float]
    """Share of a core of whatever else took part."""

    def ages(self, way: str) -> list[int]:
        return [age for age, words in self.told[way] for _ in range(words)]

    @property
    def problems(self) -> list[str]:
        told = self.told
        found = list(told["errors"])
        found += [f"{n} runs ended {end}" for end, n in told["ends"].items() if end != "succeeded"]
        if told["short"]:
            found.append(f"{told['short']} runs lack words")
        return found


def set_up(home: Path, base_url: str, slots: int) -> None:
    """What people would have set on the pages: the endpoint with its slots, and the workflow."""
    (home / "workflows").mkdir(parents=True)
    (home / "workflows" / "load.toml").write_text(WORKFLOW)
    endpoint = {
        "id": "load",
        "name": "Load",
        "base_url": base_url,
        "slots": slots,
        "on_this_machine": False,
        "default_model": "stamping",
    }
    (home / "endpoints.json").write_text(json.dumps([endpoint]))


def measure(sessions: int, seconds: float) -> Outcome:
    port = free_port()
    base_url = f"http://127.0.0.1:{port}/v1"
    endpoint = ("benchmarks/stamping_endpoint.py", str(port), str(TOKENS_PER_S))
    # The environment's endpoint is not asked, but keeps the bundled model from being loaded.
    environment = {"OPENAI_BASE_URL": base_url, "FANOUT_MODEL": "stamping"}
    with tempfile.TemporaryDirectory() as name, process(*endpoint, health=f"{base_url}/models"):
        folder = Path(name)
        set_up(folder / "home", base_url, slots=sessions * 4)
        with running_app(folder, environment) as app:
            return drive(app, base_url, sessions, seconds)


def drive(app: Server, base_url: str, sessions: int, seconds: float) -> Outcome:
    weights = [weigh(app.process.pid)]
    host = app.url.removeprefix("http://")
    endpoint = base_url.removeprefix("http://").removesuffix("/v1")
    command = [
        "benchmarks/load_sessions.py",
        host,
        endpoint,
        TITLE,
        str(3 * WORDS + COMBINED_WORDS),
    ]
    child = subprocess.Popen(
        [sys.executable, *command, str(sessions), str(seconds)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        first = last = weigh(child.pid)
        while child.poll() is None:
            time.sleep(LOOK_S)
            weights.append(weigh(app.process.pid))
            if child.poll() is None:
                last = weigh(child.pid)
        assert child.stdout is not None
        told = json.loads(child.stdout.read().splitlines()[-1])
    finally:
        child.kill()
        child.wait()
    return Outcome(
        told=told, weights=weights, others={"the sessions": share_of_a_core(first, last)}
    )


def report(outcome: Outcome) -> None:
    told, weights, ages = outcome.told, outcome.weights, outcome.ages("ages")
    print(f"  {'runs complete':<38}{told['ends'].get('succeeded', 0):>8}")
    print(f"  {'errors':<38}{len(outcome.problems):>8}")
    for problem in outcome.problems[:10]:
        print(f"    {problem}")
    if not ages:
        sys.exit("  no word came to anybody")
    print(f"\n  {'token to screen, ms':<24}{'p50':>8}{'p95':>8}{'p99':>8}{'most':>8}{'words':>9}")
    for name, these in (("the board", ages), ("without Fanout", outcome.ages("straight"))):
        cells = [percentile(these, share) for share in (0.5, 0.95, 0.99, 1)]
        print(f"  {name:<24}{''.join(f'{cell:>8.0f}' for cell in cells)}{len(these):>9}")
    press = told["press_s"]
    print(
        f"\n  from Run to the run's page, s: median {percentile(press, 0.5):.2f}, "
        f"p95 {percentile(press, 0.95):.2f}"
    )
    memory = quarters([one.rss_mb for one in weights])
    print(
        f"\n  {'the server':<24}{'start':>8}" + "".join(f"{n} of 4".rjust(8) for n in range(1, 5))
    )
    print(f"  {'memory, MB':<24}{weights[0].rss_mb:>8.0f}" + "".join(f"{m:>8.0f}" for m in memory))
    for what in ("files", "threads"):
        values = [float(getattr(one, what)) for one in weights]
        cells = [values[0], *quarters(values)]
        print(f"  {what:<24}" + "".join(f"{cell:>8.0f}" for cell in cells))
    spent_us = (weights[-1].cpu_s - weights[0].cpu_s) / len(ages) * 1e6
    share = share_of_a_core(weights[0], weights[-1])
    print(f"  CPU per word {spent_us:.0f} us; share of a core: {share:.0%}", end="")
    print("".join(f", {who} {share:.0%}" for who, share in outcome.others.items()))
    p95 = percentile(ages, 0.95)
    print(f"\n  {'met' if not outcome.problems else 'MISSED'}: no error, every run complete")
    print(f"  {'met' if p95 <= GOAL_MS else 'MISSED'}: p95 within {GOAL_MS} ms")
    print(
        f"  {'met' if memory[3] <= memory[2] * FLAT else 'MISSED'}: memory flat, the last quarter "
        f"{memory[3] / memory[2]:.3f} times the one before"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="10 sessions for 40 s")
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=5.0)
    chosen = parser.parse_args()
    sessions, seconds = chosen.sessions, chosen.minutes * 60
    if chosen.quick:
        sessions, seconds = 10, 40.0
    print(
        f"{sessions} sessions x 3 branches x {TOKENS_PER_S} tokens/s, {seconds:.0f} s; endpoint, "
        f"server and sessions share {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before\n",
        flush=True,
    )
    report(measure(sessions, seconds))


if __name__ == "__main__":
    main()
