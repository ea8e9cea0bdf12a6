"""`.platform` is closed to other users of the host and left alone by git, whoever makes it and whatever the umask is."""

import ast
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from platformctl.adapters.holders import this_process
from platformctl.commands.init import init_project
from platformctl.errors import UsageError
from platformctl.files import make_folder
from platformctl.runtimes.local.keeper import FolderKeeper
from platformctl.spec.load import Project, load_project
from platformctl.stack.files import write_files
from platformctl.state.build_secrets import build_secrets
from platformctl.state.secrets import write_secrets
from projects import SPEC, load_docker, write_project

LIBRARY = Path(__file__).parents[2] / "platform" / "platformctl"
INDEX = SPEC + '\n[build]\nindex = "https://index.example/simple"\n'


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """Have this process make files with a umask."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


MAKERS: dict[str, Callable[[Project], object]] = {
    "secrets": write_secrets,
    "a build's secrets": lambda project: build_secrets(project, {}),
    "a bundle": lambda project: write_files(load_docker(project.root).files, project.bundle),
    "the lock": lambda project: FolderKeeper(project.state / "kept").acquire(this_process("platformctl up")),
    "an entry": lambda project: FolderKeeper(project.state / "kept").write("drains/dev", b""),
}


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("env", [None, "prod"])
def test_it_is_closed_and_ignored_whoever_makes_it(tmp_path: Path, maker: str, env: str | None) -> None:
    project = load_project(write_project(tmp_path, INDEX + "[env.prod.server]\nport = 1\n"), env)

    MAKERS[maker](project)

    assert mode(tmp_path / ".platform") == 0o700
    assert (tmp_path / ".platform" / ".gitignore").read_text() == "*\n"
    folders = [path for path in (tmp_path / ".platform").rglob("*") if path.is_dir()]
    assert folders
    assert not [path for path in folders if mode(path) not in (0o700, 0o755)]
    assert not [path for path in folders if path.name == "secrets" and mode(path) != 0o700]


@pytest.mark.usefixtures("umask")
def test_init_closes_it_too(tmp_path: Path) -> None:
    init_project(tmp_path, "acme")

    assert mode(tmp_path / ".platform") == 0o700
    assert (tmp_path / ".platform" / ".gitignore").is_file()


def test_one_that_was_open_is_closed(tmp_path: Path) -> None:
    (tmp_path / ".platform").mkdir()
    (tmp_path / ".platform").chmod(0o777)

    make_folder(tmp_path / ".platform" / "bundle")

    assert mode(tmp_path / ".platform") == 0o700


def test_a_name_that_is_not_legal_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    for name in ("Bad Name", "a\nb", "../x", 'a"'):
        with pytest.raises(UsageError, match="not a legal name"):
            init_project(tmp_path / "new", name)
    assert not list(tmp_path.iterdir())


def test_one_function_makes_folders() -> None:
    """What a user's own folder gets, or an image's, is another matter: `init`, and the folder of the flows in an image."""
    makers = {
        (file.relative_to(LIBRARY).as_posix(), ast.unparse(node))
        for file in LIBRARY.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and "mkdir" in node.func.attr
        if "tempfile" not in ast.unparse(node) and node.func.attr != "mkdtemp"
    }

    assert makers == {
        ("files.py", "path.mkdir(mode=448, exist_ok=True)"),
        ("commands/init.py", "(folder / path).parent.mkdir(parents=True, exist_ok=True)"),
        ("runtimes/local/images.py", "(unfinished / APP).mkdir()"),
    }
