"""Many runs while everything is killed now and then: `make soak-workers`, or a short one with ARGS='--runs 200 --every 5'.

At the end every run must be in a final state, and nothing may be left: no process, no descriptor, no memory.
"""

import argparse
import json
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from workers_chaos import Chaos, read_left
from workers_stack import PREFECT, Worker, WorkersStack, build_image, read_memory, wait_until

RESULTS = Path(__file__).parent / "results"
_FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
_WORKERS = {"finish": {}, "reschedule": {"PREFECT_WARM_WORKER_ON_STOP": "reschedule"}, "limited": {}}
_QUEUED = 40
"""Runs that wait or run at once."""
_SETTINGS = {"PREFECT_WARM_WORKER_GRACE": "5"}
_SETTLED_WITHIN = 900
"""Seconds: a worker is held for offline after 90, and others' runs are judged 150 after an outage."""
_MORE_MEMORY, _MORE_DESCRIPTORS = 1.5, 10
"""What a worker may have more at the end than at the beginning: buffers and caches fill, a leak of 2,000 runs is larger."""

Deployment = tuple[str, dict[str, object]]
"""Its id, and the parameters of its runs."""


def main() -> None:
    """Soak; print what happened, write results/soak.json, and exit 1 where anything is left."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing is left then either
    options = _options()
    with WorkersStack(build_image(), _SETTINGS) as stack:
        workers = [stack.start_worker("warm", limit=8, settings=settings) for settings in _WORKERS.values()]
        found = _soak(stack, workers, options)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "soak.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(json.dumps(found, indent=2))
    sys.exit(1 if found["wrong"] else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two things that go wrong")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _soak(stack: WorkersStack, workers: list[Worker], options: argparse.Namespace) -> dict[str, object]:
    deployments: list[Deployment] = [
        (stack.api.deploy("add.py:add", "warm"), {}),
        (stack.api.deploy("wait.py:wait", "warm"), {"seconds": 3}),
    ]
    tags = [stack.api.trigger(deployment, 30, parameters) for deployment, parameters in deployments]
    for tag in tags:
        stack.api.finish(tag, 30)
    before = _measure(workers)
    chaos, begun = Chaos(stack, workers, options.seed), time.monotonic()
    tags = _run_all(stack, deployments, chaos, options)
    wait_until(lambda: _unfinished(stack, tags) == 0, "all runs are final", _SETTLED_WITHIN, 5.0)
    time.sleep(15)  # what is left behind is reaped every few seconds
    after = _measure(workers)
    return {
        "prefect": PREFECT,
        "minutes": round((time.monotonic() - begun) / 60, 1),
        "states": Counter(run.state for tag in tags for run in stack.api.read(tag)),
        "wrongs": chaos.done,
        "before": before,
        "after": after,
        "wrong": _differences(before, after),
    }


def _run_all(
    stack: WorkersStack, deployments: list[Deployment], chaos: Chaos, options: argparse.Namespace
) -> list[str]:
    """Keep the queue filled until all runs are triggered and taken, while things go wrong."""
    tags: list[str] = []
    left, struck = options.runs, time.monotonic()
    while left or _unfinished(stack, tags) > _QUEUED // 4:
        missing = min(left, _QUEUED - _unfinished(stack, tags))
        for number, (deployment, parameters) in enumerate(deployments):
            count = (missing + number) // len(deployments)
            if count > 0:
                tags.append(stack.api.trigger(deployment, count, parameters))
                left -= count
        if time.monotonic() - struck > options.every:
            chaos.strike()
            struck = time.monotonic()
            print(
                f"{options.runs - left} triggered, {_unfinished(stack, tags)} not through, {dict(chaos.done)}",
                flush=True,
            )
        time.sleep(0.5)
    return tags


def _unfinished(stack: WorkersStack, tags: list[str]) -> int:
    return stack.api.count_any(tags, ("SCHEDULED", "PENDING", "RUNNING", "CANCELLING", "PAUSED")) if tags else 0


def _measure(workers: list[Worker]) -> list[dict[str, float]]:
    return [{**read_left(worker.container), "megabytes": round(read_memory(worker.container))} for worker in workers]


def _differences(before: list[dict[str, float]], after: list[dict[str, float]]) -> list[str]:
    """What a worker has left, in words."""
    wrong = []
    for number, (then, now) in enumerate(zip(before, after, strict=True), 1):
        wrong += [f"worker {number}: {name} {then[name]:.0f}, then {now[name]:.0f}" for name in _more(then, now)]
    return wrong


def _more(then: dict[str, float], now: dict[str, float]) -> list[str]:
    more = {
        "processes": now["processes"] > then["processes"],
        "zombies": now["zombies"] > 0,
        "descriptors": now["descriptors"] > then["descriptors"] + _MORE_DESCRIPTORS,
        "megabytes": now["megabytes"] > then["megabytes"] * _MORE_MEMORY,
    }
    return [name for name, is_more in more.items() if is_more]


if __name__ == "__main__":
    main()
