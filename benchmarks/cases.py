"""What is claimed, each against its peer."""

import functools

from bench_local import ByHand
from bench_stack import PLATFORMCTL, PREFECT, BenchStack
from measure import Case, Side, call


def nothing() -> None:
    """Prepare nothing."""


def docker_cases(stack: BenchStack) -> list[Case]:
    """Return the claims about a platform on Docker, the slow ones last."""
    return [
        _help(),
        _build_unchanged(stack),
        _build_flow(stack),
        _up_again(stack),
        _scale(stack),
        _up_from_nothing(stack),
    ]


def local_cases(stack: BenchStack, by_hand: ByHand) -> list[Case]:
    """Return the claims about a platform of local processes."""

    def nothing_of_either() -> None:
        by_hand.down()
        stack.clear()

    ours = Side("local up from nothing", nothing_of_either, lambda: stack.ctl("up"))
    peer = Side("prefect server start, prefect worker start", nothing_of_either, by_hand.up)
    return [Case("local-up-from-nothing", ours, peer, seconds=None, ratio=1.0)]


def _help() -> Case:
    ours = Side("platformctl --help", nothing, functools.partial(call, [PLATFORMCTL, "--help"]))
    peer = Side("prefect --help", nothing, functools.partial(call, [PREFECT, "--help"]))
    return Case("help", ours, peer, seconds=0.15, ratio=0.1)


def _build_unchanged(stack: BenchStack) -> Case:
    ours = Side("build-image, unchanged", nothing, lambda: stack.ctl("build-image"))
    peer = Side("docker compose build, unchanged", nothing, lambda: stack.compose("build"))
    return Case("build-unchanged", ours, peer, seconds=0.5, ratio=None)


def _build_flow(stack: BenchStack) -> Case:
    def render_changed_flow() -> None:
        stack.change_flow()
        stack.ctl("render")

    ours = Side("build-image, a flow changed", stack.change_flow, lambda: stack.ctl("build-image"))
    peer = Side("docker compose build, a flow changed", render_changed_flow, lambda: stack.compose("build"))
    return Case("build-flow", ours, peer, seconds=3.0, ratio=None)


def _up_again(stack: BenchStack) -> Case:
    ours = Side("up, nothing to do", lambda: stack.ctl("up"), lambda: stack.ctl("up"))
    peer = Side("docker compose up --wait, nothing to do", nothing, lambda: stack.compose("up", "--detach", "--wait"))
    return Case("up-again", ours, peer, seconds=1.5, ratio=1.2)


def _scale(stack: BenchStack) -> Case:
    def compose_up_and_wait() -> None:
        stack.compose("up", "--detach", "--wait")
        stack.wait_online(4)

    def render_four() -> None:
        stack.ctl("up", "--workers", "1")
        spec = stack.folder / "platform.toml"
        spec.write_text(spec.read_text(encoding="utf-8").replace("workers = 1", "workers = 4"), encoding="utf-8")
        stack.ctl("render")

    ours = Side(
        "scale 1 to 4, all online",
        lambda: stack.ctl("up", "--workers", "1"),
        lambda: stack.ctl("scale", "default=4"),
    )
    peer = Side("docker compose up --wait, 1 to 4, all online", render_four, compose_up_and_wait)
    return Case("scale", ours, peer, seconds=None, ratio=1.1)


def _up_from_nothing(stack: BenchStack) -> Case:
    def one_worker_from_nothing() -> None:
        stack.ctl("up", "--workers", "1")
        stack.clear()

    def compose_from_nothing() -> None:
        one_worker_from_nothing()
        stack.ctl("render")
        stack.clear_with_compose()

    ours = Side("up from nothing", one_worker_from_nothing, lambda: stack.ctl("up"))
    peer = Side(
        "docker compose up --wait from nothing",
        compose_from_nothing,
        lambda: stack.compose("up", "--detach", "--wait"),
    )
    return Case("up-from-nothing", ours, peer, seconds=None, ratio=1.0)
