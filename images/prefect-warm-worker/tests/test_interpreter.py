"""A fork begins, runs a module and ends as a new interpreter does: the same programs, run by both."""

import asyncio
from pathlib import Path

import pytest

from interpreters import Program, differences, pair_in

ENDS = {
    "an interrupt": "raise KeyboardInterrupt",
    "an heir of an interrupt": "class Stop(KeyboardInterrupt): ...\nraise Stop('now')",
    "a code": "raise SystemExit(2**33 + 5)",
    "a negative code": "raise SystemExit(-1)",
    "a text": "import sys; sys.exit('too late')",
    "a signal": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "an error": "def divide(): return 1 / 0\ndivide()",
    "a chain of errors": "try: 1 / 0\nexcept ZeroDivisionError as error: raise ValueError('x') from error",
    "a hook of its own": "import sys; sys.excepthook = lambda *said: print('hook', *said[:2]); 1 / 0",
    "a hook that fails": "import sys\ndef hook(*said): raise RuntimeError('in it')\nsys.excepthook = hook; 1 / 0",
    "no syntax": "def (",
    "the last error": "import atexit, sys; atexit.register(lambda: print(sys.last_type, sys.last_value)); 1 / 0",
    "a closed output": "import sys; sys.stderr.write('said'); print('x'); sys.stdout.close()",
    "another output": "import io, sys; print('x'); sys.stdout = io.StringIO(); print('y')",
    "no output": "import sys; print('x'); sys.stdout = None",
    "an exit handler that fails": "import atexit; atexit.register(print, 'x'); atexit.register(lambda: 1 / 0)",
    "a thread that fails": "import threading; threading.Thread(target=lambda: 1 / 0, name='one').start()",
    "a daemon": "import threading, time; threading.Thread(target=lambda: time.sleep(9) or write(), daemon=True).start()",
    "a busy daemon": "import threading\ndef spin():\n    while True: SPUN\nSPUN = 1\n"
    "threading.Thread(target=spin, daemon=True).start()",
}
LEAVES = {
    "an open file": "FILE = open('left.txt', 'w'); FILE.write('written')",
    "an open file of a library": "import json; json.file = open('left.txt', 'w'); json.file.write('written')",
    "an open archive": "import zipfile; FILE = zipfile.ZipFile('left.zip', 'w'); FILE.writestr('a', 'b')\n"
    "import atexit, os; atexit.register(lambda: print(os.listdir()))",
    "temporary files": "import tempfile; FILE = tempfile.NamedTemporaryFile(dir='.'); D = tempfile.TemporaryDirectory(dir='.')",
    "an object that tells its end": "class Told:\n    def __del__(self): print('end')\nTOLD = Told(); TOLD.itself = TOLD",
    "an iterator": "def count():\n    try: yield 1\n    finally: print('end')\nITERATOR = count(); next(ITERATOR)",
    "a module's own ends": "import beside; beside.TOLD",
}
SEES = {
    "main": "import atexit, sys\nprint(sorted(globals()), __spec__.name, __builtins__, __package__)\n"
    "atexit.register(lambda: print(sys.modules['__main__'].LAST)); LAST = 1",
    "its output": "import sys\nfor one in ('stdin', 'stdout', 'stderr'):\n    stream = getattr(sys, one)\n"
    "    print(stream, stream.name, stream.mode, stream is getattr(sys, f'__{one}__'), stream.buffer.name)",
    "its command": "import sys; print(sys.argv, sys.orig_argv)\nprint(open('/proc/self/cmdline').read().split(chr(0)))",
    "its variables": "print(sorted(open('/proc/self/environ').read().split(chr(0))))",
    "a process that is spawned": "import multiprocessing\ndef double(number): return number * 2\n"
    "if __name__ == '__main__':\n    with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.map(double, [1, 2]))",
}
BESIDE = {"beside.py": "class Told:\n    def __del__(self): print('end beside')\nTOLD = Told(); _FIRST = Told()\n"}


@pytest.mark.parametrize("texts", [ENDS, LEAVES, SEES], ids=["ends", "leaves", "sees"])
def test_a_fork_is_a_new_interpreter(tmp_path: Path, texts: dict[str, str]) -> None:
    async def check() -> None:
        async with pair_in(tmp_path) as pair:
            found = {name: await pair.run(Program(text, BESIDE)) for name, text in texts.items()}
        assert not differences(found), differences(found)

    asyncio.run(check())
