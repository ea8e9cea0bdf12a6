"""An image's tag follows from what goes into it, and from nothing else."""

import re
from pathlib import Path

import pytest

from platformctl.errors import SpecError
from platformctl.spec.load import load_project
from platformctl.stack.images.context import WorkerImage, load_images, load_server_image
from projects import SPEC, write_project


def load(folder: Path) -> WorkerImage:
    return load_images(load_project(folder))[0]


def test_the_same_inputs_give_the_same_tag_anywhere(tmp_path: Path) -> None:
    first, second = write_project(tmp_path / "a"), write_project(tmp_path / "b")
    (second / "notes.md").write_text("not in the image")
    (second / "flows" / "__pycache__").mkdir()
    (second / "flows" / "__pycache__" / "hello.cpython-313.pyc").write_bytes(b"compiled")
    (second / "flows" / ".hidden").write_text("hidden")

    assert load(first).reference == load(second).reference
    assert load(first).reference == f"acme/pipelines:{load(first).tag}"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("requirements.txt", "humanize>=4.1\n"),
        ("flows/hello.py", "import os\n"),
        ("flows/sub/new.py", ""),
        ("flows/data.csv", "1"),
    ],
)
def test_any_changed_input_gives_another_tag(tmp_path: Path, file: str, text: str) -> None:
    before = load(write_project(tmp_path)).tag
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)

    assert load(tmp_path).tag != before


def test_system_packages_and_the_version_of_prefect_are_inputs(tmp_path: Path) -> None:
    before = load(write_project(tmp_path)).tag
    with_git = load(write_project(tmp_path, SPEC.replace('flows = "flows"', 'flows = "flows"\nsystem = ["git"]')))
    older = load(write_project(tmp_path, SPEC.replace('name = "acme"', 'name = "acme"\nprefect = "3.7.8"')))

    assert len({before, with_git.tag, older.tag}) == 3
    assert b"      git\n" in with_git.files["Dockerfile"]
    assert older.files["Dockerfile"].decode().count("prefecthq/prefect:3.7.8-python3.13") == 1


@pytest.mark.parametrize(
    ("setting", "files"),
    [
        ('requirements = "requirements.txt"', {"requirements.txt"}),
        ('dependencies = ["humanize>=4", "rich"]', {"dependencies.txt"}),
        ('requirements = "pyproject.toml"', {"pyproject.toml"}),
        ('requirements = "uv.lock"', {"uv.lock", "pyproject.toml"}),
    ],
)
def test_dependencies_come_from_any_of_the_usual_files(tmp_path: Path, setting: str, files: set[str]) -> None:
    spec = SPEC.replace('requirements = "requirements.txt"', setting)
    write_project(tmp_path, spec, pyproject_toml="[project]\n", uv_lock="")

    image = load(tmp_path)

    assert {path for path in image.files if path.startswith("requirements/")} == {
        f"requirements/{name}" for name in files
    }
    assert "install_dependencies.py 3.9.1 --requirements" in image.files["Dockerfile"].decode()


def test_without_dependencies_the_version_of_prefect_is_checked_all_the_same(tmp_path: Path) -> None:
    spec = SPEC.replace('requirements = "requirements.txt"\n', "")

    assert b"install_dependencies.py 3.9.1\n" in load(write_project(tmp_path, spec)).files["Dockerfile"]


def test_stages_go_from_what_changes_rarest_to_the_flows(tmp_path: Path) -> None:
    dockerfile = load(write_project(tmp_path)).files["Dockerfile"].decode()
    steps = ["install_dependencies.py 3", "install_worker.py /", "app/ ./", "check_flows.py flows"]

    assert sorted(steps, key=dockerfile.index) == steps


def test_what_the_dockerfile_mounts_is_in_the_context(tmp_path: Path) -> None:
    image = load(write_project(tmp_path))
    mounted = re.findall(r"type=bind,source=([^,]+)", image.files["Dockerfile"].decode())

    assert len(mounted) == 6
    assert all(any(path.startswith(source) for path in image.files) for source in mounted)


@pytest.mark.parametrize("index", ["${INDEX}", "https://u:${TOKEN}@i.example/simple", "file:///srv/simple"])
def test_an_index_may_be_a_variable_as_a_whole(tmp_path: Path, index: str) -> None:
    assert load_project(write_project(tmp_path, SPEC + f'\n[build]\nindex = "{index}"\n')).spec.build.index == index


@pytest.mark.parametrize("index", ["i.example/simple", "https://me:pa55word@i.example/a b", "https://x\\n"])
def test_what_is_no_index_is_refused_and_not_shown(tmp_path: Path, index: str) -> None:
    with pytest.raises(SpecError, match="expected the URL of a package index") as raised:
        load_project(write_project(tmp_path, SPEC + f'\n[build]\nindex = "{index}"\n'))
    assert "pa55word" not in raised.value.message


def test_an_index_and_a_ca_reach_the_build_as_secrets_only(tmp_path: Path) -> None:
    spec = SPEC + '\n[build]\nindex = "https://user:${TOKEN}@index.example/simple"\nca = "ca.pem"\n'
    dockerfile = load(write_project(tmp_path, spec, ca_pem="certificate")).files["Dockerfile"].decode()

    assert "id=index,required=true" in dockerfile
    assert "id=ca,required=true" in dockerfile
    assert "index.example" not in dockerfile


@pytest.mark.parametrize(("version", "held"), [("3.7.8", ""), ("3.8.8", "'sqlalchemy[asyncio]<2.1'"), ("3.9.1", "")])
def test_a_server_has_prefects_own_image_unless_its_minor_must_be_held(tmp_path: Path, version: str, held: str) -> None:
    project = load_project(write_project(tmp_path, SPEC.replace('"acme"', f'"acme"\nprefect = "{version}"', 1)))

    image = load_server_image(project)

    assert (image is not None) == bool(held)
    assert held in (image.files["Dockerfile"].decode() if image else "")
    assert b"sqlalchemy==2.0." in image.files["constraints.txt"] if image else not held
    assert b"--hash=sha256:" in image.files["constraints.txt"] if image else not held
