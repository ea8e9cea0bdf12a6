"""Being told to stop: the first signal asks for it, the second one to hurry, the third one is the last."""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Iterator

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stop:
    """What a worker has been told."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurried = asyncio.Event()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Hear SIGTERM and SIGINT within the body; only a main thread can."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        former = {number: signal.getsignal(number) for number in _SIGNALS}
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.tell)
        try:
            yield
        finally:
            for number, handler in former.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)

    def tell(self) -> None:
        """Ask, hurry, or end at once."""
        if not self.asked.is_set():
            self.asked.set()
        elif not self.hurried.is_set():
            self.hurried.set()
        else:
            os.kill(os.getpid(), signal.SIGKILL)
