"""Many runs of many kinds while everything is killed, paused, cut off and replaced now and then: `make soak-workers`.

It prints its seed; ARGS='--runs 2000 --minutes 120 --longest 600 --seed 7' is a long one. At the end every run must be in the
state that it would have had, or another one for a true reason; none may have run twice; no process or descriptor may be left.
"""

import argparse
import json
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from uuid import uuid4

from soak_kinds import FINAL, KINDS, Attendant, kind_of, read_runs, trigger
from soak_platform import POOLS, SoakPlatform
from soak_verdict import Outcome, faults_of, outcome_of, read_executions
from workers_chaos import Chaos, read_left
from workers_stack import PREFECT, wait_until

RESULTS = Path(__file__).parent / "results"
_AT_ONCE = 24
"""Runs that are not through."""
_SETTLED_WITHIN = 1500
"""Seconds: a worker is held for offline after 90, and others' runs are judged 150 after an outage."""
_MORE_DESCRIPTORS = 10


def main() -> None:
    """Soak; print what happened, write results/soak.json, and exit 1 where anything is wrong."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left then either
    options = _options()
    print(f"seed {options.seed}", flush=True)
    limits = {kind.name: kind.limit for kind in KINDS.values()}
    with SoakPlatform(options.prefect, options.workers, limits) as platform:
        platform.ask("POST", "v2/concurrency_limits/", {"name": "narrow", "limit": 2})
        found = _soak(platform, options)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "soak.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(json.dumps(found, indent=2))
    sys.exit(1 if found["faults"] or found["left"] else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--minutes", type=float, default=6.0, help="for which things go wrong")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two things that go wrong")
    parser.add_argument("--longest", type=float, default=20.0, help="seconds that one of them lasts at most")
    parser.add_argument("--workers", type=int, default=2, help="of each of the two pools")
    parser.add_argument("--prefect", default=PREFECT)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10_000)
    return parser.parse_args()


def _soak(platform: SoakPlatform, options: argparse.Namespace) -> dict[str, object]:
    before, begun, tag = _measure(platform), time.monotonic(), uuid4().hex
    chaos = Chaos(platform, options.seed, options.longest)
    with Attendant(platform, tag):
        _run_all(platform, chaos, tag, options)
        platform.bring_up()
        wait_until(
            lambda: _count_unfinished(platform, tag) == 0, "all runs are final", _SETTLED_WITHIN, 5.0, fails=False
        )
    time.sleep(15)  # what is left behind is reaped every few seconds
    runs = _judge(platform, tag)
    faults = {
        f"{run.kind.name} on {run.pool}, {run.id}": found for run in runs if (found := faults_of(run, chaos.done))
    }
    return {
        "prefect": options.prefect,
        "seed": options.seed,
        "minutes": round((time.monotonic() - begun) / 60, 1),
        "states": Counter(f"{run.kind.name} {run.state}" for run in runs),
        "executions": sum(len(run.executions) for run in runs),
        "wrongs": [f"{wrong.what} {wrong.where} {wrong.ended - wrong.began:.0f} s" for wrong in chaos.done],
        "explained": [f"{run.kind.name}: {run.message}" for run in runs if run.state != run.kind.ends],
        "slots": platform.ask("GET", "v2/concurrency_limits/narrow")["active_slots"],
        "faults": faults,
        "left": _left(before, _measure(platform)),
    }


def _run_all(platform: SoakPlatform, chaos: Chaos, tag: str, options: argparse.Namespace) -> None:
    """Keep the pools busy, with each kind in turn, until all runs are triggered and the time is over, while things go wrong."""
    end, triggered = time.monotonic() + options.minutes * 60, 0
    while triggered < options.runs or time.monotonic() < end:
        missing = min(options.runs - triggered, _AT_ONCE - _count_unfinished(platform, tag))
        for number in range(triggered, triggered + max(missing, 0)):
            trigger(
                platform, list(KINDS.values())[number % len(KINDS)], list(POOLS)[number // len(KINDS) % len(POOLS)], tag
            )
            triggered += 1
        time.sleep(options.every)
        if time.monotonic() < end:
            chaos.strike()
            print(f"{triggered} triggered, {chaos.done[-1]}", flush=True)


def _count_unfinished(platform: SoakPlatform, tag: str) -> int:
    return sum(run["state_type"] not in FINAL for run in read_runs(platform, tag))


def _judge(platform: SoakPlatform, tag: str) -> list[Outcome]:
    executions = read_executions(platform.read_journal())
    return [outcome_of(run, kind_of(platform, run), executions.get(run["id"], ())) for run in read_runs(platform, tag)]


def _measure(platform: SoakPlatform) -> dict[str, dict[str, int]]:
    return {str(container.name): read_left(container) for container in platform.containers("worker")}


def _left(before: dict[str, dict[str, int]], after: dict[str, dict[str, int]]) -> list[str]:
    """What workers have left, in words."""
    return [
        f"{name}: {before[name]}, then {now}"
        for name, now in after.items()
        if now["processes"] > before[name]["processes"]
        or now["zombies"]
        or now["descriptors"] > before[name]["descriptors"] + _MORE_DESCRIPTORS
    ]


if __name__ == "__main__":
    main()
