"""What goes into a bundle of a project's files: nothing from outside the project, nothing of its secrets, at any size."""

import os
import resource
from pathlib import Path

import pytest

from platformctl.errors import FileError, PlatformError, SpecError
from platformctl.files import digest_of_files, holds, replace_file, source_of
from platformctl.spec.load import load_project
from platformctl.stack.deployments import load_deployments
from platformctl.stack.files import changed_files, write_files
from platformctl.stack.images.context import load_images
from projects import DEPLOYMENTS, SPEC, load_docker, write_project

SECRETS = ".platform/secrets/server.toml"


def refused(folder: Path) -> PlatformError:
    with pytest.raises(PlatformError) as raised:
        load_docker(folder)
    assert raised.value.exit_code == 2
    return raised.value


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with secrets, beside a file of somebody else's."""
    (tmp_path / "others.txt").write_text("humanize\n")
    (tmp_path / "lib").mkdir()
    folder = write_project(tmp_path / "project", prefect_yaml=DEPLOYMENTS)
    (folder / SECRETS).parent.mkdir(parents=True)
    (folder / SECRETS).write_text("the password")
    return folder


@pytest.mark.parametrize("target", ["../.platform/secrets/server.toml", "../../others.txt", "../../lib", "/nowhere"])
def test_a_link_among_the_flows_leads_nowhere_else(project: Path, target: str) -> None:
    (project / "flows" / "data.txt").symlink_to(target)

    message = refused(project).message

    assert "flows/data.txt is, or is in, a link to" in message
    assert os.path.realpath(project / "flows" / target) in message
    assert "the password" not in message


def test_a_link_to_a_file_of_the_project_is_that_file(project: Path) -> None:
    (project / "queries.sql").write_text("SELECT 1")
    (project / "flows" / "queries.sql").symlink_to("../queries.sql")

    (image,) = load_images(load_project(project))

    assert holds(project / "queries.sql", image.flows["app/flows/queries.sql"])


@pytest.mark.parametrize(
    ("setting", "link", "target"),
    [
        ('requirements = "r.txt"', "r.txt", "../others.txt"),
        ('requirements = "r.txt"', "r.txt", SECRETS),
        ('requirements = "../others.txt"', "", ""),
        ('requirements = "uv.lock"', "pyproject.toml", "../others.txt"),
        ('flows = "flow"', "flow", "../lib"),
        ('flows = ".platform/secrets"', "", ""),
        ('flows = "sub"', "sub", ".platform"),
    ],
)
def test_what_the_spec_names_is_inside_the_project(project: Path, setting: str, link: str, target: str) -> None:
    (project / "uv.lock").write_text("")
    if link:
        (project / link).symlink_to(target)
    write_project(project, f'[platform]\nname = "a"\n[images.p]\n{setting}\n')

    error = refused(project)

    assert "platform.toml:4: images.p." in error.message
    assert "outside" in error.message or "with the platform's secrets" in error.message


def test_prefect_yaml_is_inside_the_project_and_a_file(project: Path) -> None:
    (project / "prefect.yaml").unlink()
    (project / "prefect.yaml").symlink_to("../others.txt")
    assert "prefect.yaml is, or is in, a link to" in refused(project).message

    (project / "prefect.yaml").unlink()
    (project / "prefect.yaml").mkdir()
    assert "prefect.yaml can't be read" in refused(project).message

    (project / "prefect.yaml").rmdir()
    os.mkfifo(project / "prefect.yaml")
    assert "not a regular file" in refused(project).message


@pytest.mark.parametrize("name", [b"caf\xe9.py", b"a\nb.py", b"a\x1b[31m.py"])
def test_a_name_that_is_no_text_is_refused_in_one_that_is(project: Path, name: bytes) -> None:
    (project / "flows" / os.fsdecode(name)).write_text("")

    error = refused(project)

    assert "isn't a text in UTF-8 on one line" in error.message
    assert error.message.encode()
    assert "\n" not in error.message


def test_what_is_hidden_may_have_any_name_and_lead_anywhere(project: Path) -> None:
    (project / "flows" / ".#hello.py").symlink_to("ada@host.123")
    (project / "flows" / "__pycache__").mkdir()
    (project / "flows" / "__pycache__" / os.fsdecode(b"\xff")).write_text("")

    assert load_docker(project)


def test_pipes_and_sockets_are_left_out(project: Path) -> None:
    os.mkfifo(project / "flows" / "pipe")

    (image,) = load_images(load_project(project))

    assert set(image.flows) == {"app/flows/hello.py"}


def test_a_large_file_is_copied_without_being_held(project: Path, tmp_path: Path) -> None:
    with (project / "flows" / "model.bin").open("wb") as file:
        file.truncate(300 * 2**20)
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (_held_bytes() + 100 * 2**20, limits[1]))
    try:
        wanted = load_docker(project)
        write_files(wanted.files, tmp_path / "bundle")
        assert changed_files(wanted.files, tmp_path / "bundle") == ()
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, limits)

    assert (tmp_path / "bundle/images/pipelines/app/flows/model.bin").stat().st_size == 300 * 2**20


def _held_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmData:")[2].split()[0]) * 1024


def test_a_file_that_changes_on_the_way_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    source = source_of(tmp_path / "a")
    assert digest_of_files({"x": source}) == digest_of_files({"x": b"one"})
    (tmp_path / "a").write_text("another")

    with pytest.raises(FileError, match="was changed while it was read"):
        replace_file(tmp_path / "b", source)

    assert not (tmp_path / "b").exists()


def test_requirements_that_nobody_wrote_are_not_read(project: Path) -> None:
    with (project / "requirements.txt").open("wb") as file:
        file.truncate(2**30)

    assert "requirements.txt has 1024 MiB" in refused(project).message


def laughs(level: str) -> str:
    lines = [f"a0: &a0 {{x: {'y' * 9}}}"]
    lines += [f"a{n}: &a{n} {level.format(', '.join([f'*a{n - 1}'] * 9))}" for n in range(1, 10)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("deployments: &a [*a]\n", "prefect.yaml:1: the alias *a refers to itself"),
        (laughs("[{0}]"), "prefect.yaml:6: it holds more than 100000 values"),
        (laughs("{{<<: [{0}]}}"), "prefect.yaml:6: it holds more than 100000 values"),
        ("a:\n  " + "[" * 100_000, "prefect.yaml:2: it holds more than"),
        ("- " * 60 + "a", "or 50 levels"),
        ("a: 2020-13-45\n", "can't be read as its type: month must be in 1..12"),
        ("a: !!int ''\n", "can't be read as its type"),
        ("a: 0x" + "f" * 9000, "can't be read as its type"),
        ("a: *b\n", "not YAML: found undefined alias"),
        ("a: !!python/object:os.system x\n", "not YAML"),
        (DEPLOYMENTS.replace("nightly", '"night\\nly"'), "expected a text on one line"),
        (DEPLOYMENTS.replace("flows/hello.py:hello", '"flows/a\\0.py:hello"'), "expected a text on one line"),
        (DEPLOYMENTS.replace("prod", "[prod]"), "work_pool.name is a list of 1, expected a string"),
        (DEPLOYMENTS.replace("flows/hello.py", "flows/" + "x" * 300 + ".py"), "there is no file flows/xxx"),
        ("{" + "x" * 2000 + ": 1", "not YAML"),
    ],
)
def test_a_prefect_yaml_that_no_one_wrote_by_hand_is_one_error(project: Path, text: str, said: str) -> None:
    (project / "prefect.yaml").write_text(text)

    assert said in refused(project).message


def test_aliases_sets_and_keys_of_all_kinds_are_yaml_too(project: Path) -> None:
    text = DEPLOYMENTS.replace("work_pool: {name: prod}", "work_pool: &pool {name: prod}")
    text += "    parameters: {a: 2001-01-01, b: &b [1], c: *b, e: !!set {f, g}}\n"
    (project / "prefect.yaml").write_text(f"{text}definitions: {{pool: *pool}}\n")
    loaded = load_project(project)

    (found,) = load_deployments(loaded)

    assert found.pool == "prod"


def test_what_prefects_own_init_and_its_users_write_is_read(project: Path) -> None:
    """Empty sections, parts that are named once and merged, dates, and Prefect's own templates."""
    text = """\
name: [WORKING_DIRECTORY]
prefect-version: 3.x
build: null
push:
definitions:
  work_pool: &pool {name: prod, job_variables: {image: "{{ prefect.variables.image }}"}}
  shared: &shared {tags: [etl, "team:data"], version: "1.0", schedules: []}
deployments:
- name: New Feature Test
  <<: *shared
  description: |
    More than one line.
  entrypoint: ./flows/hello.py:hello
  parameters: {date: 2024-01-01, secret: "{{ prefect.blocks.secret.token }}"}
  work_pool: *pool
  concurrency_limit: null
"""
    (project / "prefect.yaml").write_text(text)
    loaded = load_project(project)

    (found,) = load_deployments(loaded)

    assert (found.name, found.pool) == ("New Feature Test", "prod")
    for pool in ('"{{ prefect.variables.pool }}"', "[prod]", "3"):
        (project / "prefect.yaml").write_text(DEPLOYMENTS.replace("prod", pool))
        error = refused(project)
        assert "4: deployment 'nightly': " in error.message
        assert "work" in error.message
        assert "pools create" not in error.message
    (project / "prefect.yaml").write_text(DEPLOYMENTS.replace("flows/hello.py", "flows.hello"))
    assert "expected FOLDER/FILE.py:FLOW" in refused(project).message


def test_a_project_is_not_read_through_a_name_that_is_no_text(tmp_path: Path) -> None:
    folder = write_project(tmp_path / os.fsdecode(b"caf\xe9"), SPEC)

    with pytest.raises(SpecError, match=r"caf\\udce9"):
        load_docker(folder)
