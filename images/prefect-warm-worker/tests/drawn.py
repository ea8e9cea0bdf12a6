"""Programs that are drawn: of libraries that do what libraries do when they are imported, and of what programs do, leave and see."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st

from interpreters import Program

LOOKING = (Path(__file__).parent / "flows" / "looking.py").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Piece:
    """A part of a program or a library. kind: what it does. files: what it needs beside the program."""

    kind: str
    text: str
    files: Mapping[str, str] = field(default_factory=dict, hash=False)


def _pieces(found: Mapping[str, str]) -> list[Piece]:
    return [Piece(kind, text) for kind, text in found.items()]


LIBRARIES = _pieces(
    {
        "has values": "VALUE = [1, 2, 3]\ndef work(): VALUE.append(4); print('value', VALUE)",
        "has a class": "class Work:\n    made = 0\n    def __init__(self): Work.made += 1\ndef work(): Work(); print(Work.made)",
        "imports another": "import json, decimal\ndef work(): print(decimal.Decimal(1) / 3, json.dumps([1]))",
        "caches": "import functools\n@functools.cache\ndef work(): print('worked')",
        "has a lock": "import threading\nLOCK = threading.Lock()\ndef work():\n    with LOCK: print('locked', threading.active_count())",
        "has a thread's own values": "import threading\nOWN = threading.local()\nOWN.value = 1\ndef work(): print(OWN.value)",
        "has a context": "import contextvars\nVAR = contextvars.ContextVar('var', default=0)\ndef work(): VAR.set(VAR.get() + 1); print(VAR.get())",
        "adds loggers": "import logging\nlogging.getLogger('acme').addHandler(logging.NullHandler())\n"
        "logging.getLogger('acme.sub').setLevel('DEBUG')\ndef work(): logging.getLogger('acme.sub').warning('logged')",
        "writes its log": "import logging\ndef work(): logging.basicConfig(format='%(process)d' and '%(message)s'); logging.warning('logged')",
        "registers a codec": "import codecs\ncodecs.register(lambda name: codecs.lookup('utf-8') if name == 'acme' else None)\n"
        "def work(): print('x'.encode('acme'))",
        "knows where it is": "import os.path\ndef work(): print(os.path.basename(__file__), __name__, __spec__.name)",
        "waits for its use": "def __getattr__(name):\n    if name == 'work': return lambda: print('late')\n    raise AttributeError(name)",
        "starts a thread": "import threading\nthreading.Thread(target=threading.Event().wait, name='acme', daemon=True).start()\n"
        "def work(): print([t.name for t in threading.enumerate()])",
        "leaves a process": "import subprocess\nCHILD = subprocess.Popen(['sleep', '0'])\ndef work(): print(CHILD.wait())",
        "fails": "raise ImportError('it is for another machine')",
        "ends the process": "import os\nif __name__ != '__main__': raise SystemExit('no')",
    }
)
"""What a module can do when it is imported, and be the same for a run that was forked after it."""
UNSAFE = _pieces(
    {
        "reads a variable": "import os\nURL = os.environ.get('ACME_URL', 'default')\ndef work(): print(URL)",
        "draws": "import random, uuid\nDRAWN = random.random(), uuid.uuid4()\ndef work(): print('drawn', *DRAWN)",
        "has its own generator": "import random\nOWN = random.Random()\ndef work(): print('drawn', OWN.random())",
        "knows its process": "import os\nPID = os.getpid()\ndef work(): print(PID == os.getpid())",
        "registers an exit handler": "import atexit\natexit.register(print, 'the library is through')\ndef work(): print('x')",
        "opens a file": "FILE = open('opened', 'w')\ndef work(): FILE.write('x')",
        "writes": "print('imported')\ndef work(): print('x')",
        "patches": "import json\njson.dumps = lambda *_, **__: 'patched'\ndef work(): print(json.dumps(1))",
        "filters warnings": "import warnings\nwarnings.simplefilter('ignore')\ndef work(): warnings.warn('x')",
        "listens to signals": "import signal\nsignal.signal(signal.SIGUSR1, print)\ndef work(): print(signal.getsignal(signal.SIGUSR1))",
        "sets a variable": "import os\nos.environ['ACME_SET'] = '1'\ndef work(): print(os.environ.get('ACME_SET'))",
        "changes the folder": "import os\nos.makedirs('inner', exist_ok=True); os.chdir('inner')\ndef work(): print(os.path.basename(os.getcwd()))",
        "changes the umask": "import os\nos.umask(0o077)\ndef work(): open('masked', 'w').close()",
        "changes the path": "import sys\nsys.path.append('/acme')\ndef work(): print(sys.path[-1])",
        "has a hook": "import sys\nsys.excepthook = lambda *said: print('hooked', said[0])\ndef work(): print('x')",
        "limits recursion": "import sys\nsys.setrecursionlimit(3000)\ndef work(): print(sys.getrecursionlimit())",
        "finds modules": "import sys\nclass Finder:\n    def find_spec(self, *_): return None\nsys.meta_path.insert(0, Finder())\ndef work(): print('x')",
        "configures logging": "import logging\nlogging.basicConfig(level='DEBUG')\ndef work(): logging.debug('logged')",
        "limits open files": "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))\n"
        "def work(): print(resource.getrlimit(resource.RLIMIT_NOFILE))",
        "sets the time-out of sockets": "import socket\nsocket.setdefaulttimeout(7)\ndef work(): print(socket.getdefaulttimeout())",
        "sets the precision": "import decimal\ndecimal.getcontext().prec = 5\ndef work(): print(decimal.Decimal(1) / 3)",
        "sets the locale": "import locale\nlocale.setlocale(locale.LC_NUMERIC, 'C.UTF-8')\ndef work(): print(locale.setlocale(locale.LC_NUMERIC))",
        "sets a policy": "import asyncio\nclass Policy(asyncio.DefaultEventLoopPolicy): ...\nasyncio.set_event_loop_policy(Policy())\n"
        "def work(): print(type(asyncio.get_event_loop_policy()).__name__)",
        "stops collecting": "import gc\ngc.disable()\ndef work(): print(gc.isenabled())",
        "traces": "import sys, threading\nthreading.setprofile(lambda *_: None)\ndef work(): print('x')",
    }
)
"""What a module can do that a fork after it has too early, or for good: modules that do so are not imported ahead, or done anew."""
_ALONE = _pieces(
    {
        "nothing": "",
        "draws": "import random, uuid, os, secrets\nprint('drawn', random.random(), uuid.uuid4(), os.urandom(4), secrets.token_hex(4))",
        "is in a session": "import os\nprint(os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid())",
        "uses a pool": "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(1) as pool: print(pool.map(abs, [-1]))",
        "starts a command": "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'import os; print(os.environ.get(\"COLOUR\"))'], "
        "capture_output=True).stdout)",
        "runs a loop": "import asyncio\nasync def wait(): await asyncio.sleep(0); print(asyncio.current_task().get_name())\nasyncio.run(wait())",
        "uses threads": "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(1) as pool: print(pool.submit(abs, -1).result())",
        "warns": "import warnings\nwarnings.warn('at the top')\nwarnings.warn('old', DeprecationWarning)",
        "says it in bytes": "import sys\nsys.stdout.buffer.write(b'\\xff\\n'); sys.stdout.write('\\udc80\\n')",
        "uses its temporary folder": "import tempfile, os\nwith tempfile.NamedTemporaryFile() as file: print(os.path.dirname(file.name))",
        "tells the time": "import time\nprint(time.tzname, time.strftime('%H', time.gmtime(0)), time.localtime(0).tm_hour)",
        "is typed": "value: int = 1\nprint(__annotations__)",
        "pickles its own": "import pickle\nclass Own: pass\nprint(type(pickle.loads(pickle.dumps(Own()))).__module__)",
        "reloads": "import importlib, json\nprint(importlib.reload(json).__name__)",
        "hears a signal": "import os, signal\nsignal.signal(signal.SIGTERM, lambda *_: print('heard'))\nos.kill(os.getpid(), signal.SIGTERM)",
        "reads its input": "import sys\nprint(repr(sys.stdin.read()))",
    }
)
DOES = [
    *_ALONE,
    Piece("imports what is beside it", "import beside\nprint(beside.VALUE)", {"beside.py": "VALUE = 'beside'\n"}),
    Piece(
        "imports a package",
        "from pack.inner import VALUE\nprint(VALUE)",
        {"pack/__init__.py": "", "pack/inner.py": "VALUE = 1\n"},
    ),
    Piece("imports a folder", "import room.inner\nprint(room.__file__)", {"room/inner.py": ""}),
    Piece(
        "imports what fails",
        "try:\n    import bad\nexcept ValueError as error: print(error)",
        {"bad.py": "raise ValueError('bad')\n"},
    ),
    Piece("reads a file of its own", "print(open('own.txt').read())", {"own.txt": "own"}),
]
SHADOWS = [
    Piece("shadows a module", "import colorsys\nprint(colorsys.VALUE)", {"colorsys.py": "VALUE = 'shadow'\n"}),
    Piece(
        "shadows a used module", "import json\nprint(getattr(json, 'VALUE', None))", {"json.py": "VALUE = 'shadow'\n"}
    ),
]
"""Files that are found before others of their names, some of which a zygote has imported."""
LEAVES = _pieces(
    {
        "nothing": "",
        "an open file": "LEFT = open('left.txt', 'w'); LEFT.write('left')",
        "an open file in a library": "import decimal; decimal.left = open('left.txt', 'w'); decimal.left.write('left')",
        "exit handlers": "import atexit; atexit.register(print, 'one'); atexit.register(lambda: print(__name__))",
        "an exit handler that fails": "import atexit; atexit.register(lambda: 1 / 0)",
        "a thread": "import threading, time; threading.Thread(target=lambda: (time.sleep(0.05), open('thread', 'w'))).start()",
        "a daemon": "import threading, time; threading.Thread(target=lambda: time.sleep(60), daemon=True).start()",
        "a pool": "from concurrent.futures import ThreadPoolExecutor; POOL = ThreadPoolExecutor(1); POOL.submit(sum, [1])",
        "a temporary file": "import tempfile; LEFT = tempfile.NamedTemporaryFile(dir='.')",
        "a temporary folder": "import tempfile; LEFT = tempfile.TemporaryDirectory(dir='.')",
        "a finalizer": "import weakref\nclass Told: ...\nTOLD = Told(); weakref.finalize(TOLD, print, 'finalized')",
        "an object": "class Told:\n    def __del__(self): print('object')\nTOLD = Told()",
        "another folder": "import os; os.makedirs('elsewhere', exist_ok=True); os.chdir('elsewhere')",
        "no output": "import sys; sys.stdout.close()",
        "half a line": "print('half', end='')",
    }
)
ENDS = _pieces(
    {
        "well": "",
        "with a code": "raise SystemExit(7)",
        "with a text": "raise SystemExit('why')",
        "with an error": "raise ValueError('why')",
        "with a group": "raise ExceptionGroup('why', [ValueError(1), KeyError(2)])",
        "interrupted": "raise KeyboardInterrupt",
        "at once": "import os; os._exit(4)",
        "by a signal": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "by another signal": "import os, signal; os.kill(os.getpid(), signal.SIGUSR2)",
        "by an alarm": "import signal, time; signal.setitimer(signal.ITIMER_REAL, 0.05); time.sleep(30)",
        "in its hook": "import sys\ndef hook(*_): raise RuntimeError('hook')\nsys.excepthook = hook; 1 / 0",
        "too deep": "try:\n    def fall(): fall()\n    fall()\nexcept RecursionError as error: print(error)",
    }
)
VARIABLES = st.dictionaries(
    st.sampled_from(["COLOUR", "ACME_URL", "TZ", "TMPDIR", "HOME", "EMPTY"]),
    st.sampled_from(["", "red", "/tmp", "Asia/Tokyo"]),
    max_size=3,
)


LOOKS = Piece("looks", "import looking; looking.look()", {"looking.py": LOOKING})
_USE = """\
try:
    import {0}; {0}.work()
except BaseException as error:
    print(repr(error))
"""


@dataclass(frozen=True)
class Case:
    """A program, and the libraries that are imported ahead of it, whether it needs them or not."""

    program: Program
    libraries: Mapping[str, str]
    kinds: tuple[str, ...]
    """What it is made of, for whoever reads a failure."""


@st.composite
def cases(draw: st.DrawFn, libraries: Sequence[Piece], does: Sequence[Piece]) -> Case:
    """Draw a case. libraries: the pieces that those are drawn from. does: those that the program's own are."""
    ahead = draw(st.lists(st.sampled_from(libraries), max_size=3, unique=True))
    used = draw(st.lists(st.sampled_from(ahead), unique=True)) if ahead else []
    pieces = draw(st.lists(st.sampled_from(does), max_size=3, unique=True))
    return case_of(
        ahead, used, [*pieces, LOOKS, draw(st.sampled_from(LEAVES)), draw(st.sampled_from(ENDS))], draw(VARIABLES)
    )


def case_of(ahead: Sequence[Piece], used: Sequence[Piece], does: Sequence[Piece], variables: Mapping[str, str]) -> Case:
    """Return a case. ahead: libraries that are imported ahead. used: those of them that the program uses, at its beginning."""
    names = {piece: f"acme_{number}" for number, piece in enumerate(ahead)}
    body = "\n".join([*(_USE.format(names[piece]) for piece in used), *(piece.text for piece in does)])
    files = {name: text for piece in does for name, text in piece.files.items()}
    kinds = (*_kinds("ahead", ahead), *_kinds("uses", used), *_kinds("does", does))
    return Case(Program(body, files, variables), {names[piece]: piece.text for piece in ahead}, kinds)


def named(found: Iterable[Piece], *kinds: str) -> list[Piece]:
    """Return the pieces of these kinds."""
    return [piece for piece in found if piece.kind in kinds]


def _kinds(what: str, pieces: Iterable[Piece]) -> Iterator[str]:
    return (f"{what}: {piece.kind}" for piece in pieces)
