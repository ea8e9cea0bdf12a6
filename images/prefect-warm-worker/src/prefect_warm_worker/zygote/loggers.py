"""Loggers as Prefect sets them up, before a flow's libraries are imported: done anew, after they were, it comes to the same."""

import logging
import logging.config
from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class _State:
    """What libraries set of a logger."""

    level: int = logging.NOTSET
    propagate: bool = True
    disabled: bool = False
    handlers: tuple[logging.Handler, ...] = ()


_first: set[str] = set()
"""The names of the loggers that were there when logging was set up for the first time: what a setup may disable."""
_last: dict[logging.Logger, _State] = {}
"""The loggers as they were set up last."""


@contextmanager
def noting_first_setup() -> Iterator[None]:
    """Note which loggers are there when logging is set up within the body, as an import of Prefect does."""
    configure = logging.config.dictConfig

    def note(config: Any) -> None:  # noqa: ANN401  # as it was
        _first.update(logging.root.manager.loggerDict)
        logging.config.dictConfig = configure
        configure(config)

    logging.config.dictConfig = note
    try:
        yield
    finally:
        logging.config.dictConfig = configure


def set_up_loggers() -> None:
    """Have Prefect set up logging as if for the first time; what libraries have set since the last time stays."""
    from prefect.logging.configuration import setup_logging  # noqa: PLC0415  # what is noted comes before it

    now = _states()
    last = dict(_last or now)
    added = {handler for logger, state in now.items() for handler in _added(last, logger, state)}
    taken = {*added, *_named().values()}  # the latter are what configurations make, and Prefect hands on
    for logger in now:
        logger.handlers[:] = [handler for handler in logger.handlers if handler not in taken]
    with _kept(added):
        setup_logging(incremental=False)
    _last.update(_states())
    for logger, state in now.items():
        _set_again(last, logger, state)


def _states() -> dict[logging.Logger, _State]:
    loggers = [logging.root, *logging.root.manager.loggerDict.values()]
    return {
        each: _State(each.level, each.propagate, each.disabled, tuple(each.handlers))
        for each in loggers
        if isinstance(each, logging.Logger)
    }


@contextmanager
def _kept(handlers: Collection[logging.Handler]) -> Iterator[None]:
    """Have handlers outlive the body, which closes all that are listed."""
    references: list[Callable[[], logging.Handler | None]] = logging._handlerList  # type: ignore[attr-defined]  # see below
    kept = [reference for reference in references if reference() in handlers]
    names = {name: handler for name, handler in _named().items() if handler in handlers}
    references[:] = [reference for reference in references if reference not in kept]
    yield
    references.extend(kept)
    _named().update(names)


def _named() -> MutableMapping[str, logging.Handler]:
    """The handlers that have names, as those of configurations do."""
    found: MutableMapping[str, logging.Handler] = logging._handlers  # type: ignore[attr-defined]  # 3.11 lacks getHandlerNames
    return found


def _added(last: Mapping[logging.Logger, _State], logger: logging.Logger, state: _State) -> list[logging.Handler]:
    was = last.get(logger, _State())
    return [handler for handler in state.handlers if handler not in was.handlers]


def _set_again(last: Mapping[logging.Logger, _State], logger: logging.Logger, state: _State) -> None:
    """Set what libraries had set of a logger."""
    was = last.get(logger, _State())
    if state.level != was.level:
        logger.setLevel(state.level)
    if state.propagate != was.propagate:
        logger.propagate = state.propagate
    if state.disabled != was.disabled or logger.name not in _first:
        logger.disabled = state.disabled
    if not set(was.handlers) <= set(state.handlers):
        logger.handlers.clear()
    logger.handlers += _added(last, logger, state)
