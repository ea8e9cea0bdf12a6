"""A platform of local processes: its database, and how it is closed."""

import os
import pwd
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from e2e.conftest import NewStack
from e2e.local_machine import local_machine
from e2e.project import PACKAGE
from e2e.stack import Stack
from e2e.waiting import step
from telling import read_told, write_telling_package


def test_the_database_writes_ahead(running_local: Stack) -> None:
    file = local_machine(running_local).data / "database" / "prefect.db"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_nothing_listens_but_on_the_loopback_address(running_local: Stack) -> None:
    services = {found.process.pid: found.service for found in local_machine(running_local).processes()}
    listening = [found for found in psutil.net_connections("inet") if found.status == psutil.CONN_LISTEN]
    own = [(services[found.pid], *found.laddr) for found in listening if found.pid in services]
    assert [address for service, *address in own if service == "server"] == [["127.0.0.1", running_local.port]]
    step("What Prefect's worker tells its flow runs by is open to this machine only, too.")
    assert {host for _, host, _ in own} == {"127.0.0.1"}


def test_no_secret_is_in_the_environment_of_what_the_supervisor_keeps(running_local: Stack) -> None:
    secrets = [running_local.secret("database_password"), running_local.secret("api_password")]
    found = local_machine(running_local).processes()
    assert {each.service for each in found} == {"", "server", "worker-default-1"}
    said = "\n".join(value for each in found for value in each.environment.values())
    assert [secret for secret in secrets if secret in said] == []


def test_what_it_keeps_is_closed_to_other_users(running_local: Stack) -> None:
    machine = local_machine(running_local)
    folders = [machine.home.with_name("secrets"), machine.home, machine.data, *machine.data.iterdir()]
    assert machine.data / "database" in folders
    open_ = {str(path): oct(mode) for path in folders if (mode := stat.S_IMODE(path.stat().st_mode)) & 0o077}
    assert open_ == {}


def test_the_environment_of_the_shell_is_not_that_of_the_platform(new_local_stack: NewStack, tmp_path: Path) -> None:
    stack = new_local_stack()
    shell = {
        "PREFECT_API_URL": "http://127.0.0.1:1/api",
        "PREFECT_API_KEY": "not-a-key",
        "PREFECT_HOME": str(tmp_path / "prefect"),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{tmp_path}/other.db",
        "PYTHONPATH": str(tmp_path / "python"),
        "CLOUD_TOKEN": "not-a-token",
    }
    built, imported = tmp_path / "built", tmp_path / "imported"
    stack.edit(PACKAGE, f"{PACKAGE}\n{write_telling_package(tmp_path / 'telling', built)}", "requirements.txt")
    telling = f"import os\nimport pathlib\n\npathlib.Path({str(imported)!r}).write_text('\\n'.join(os.environ))\n"
    stack.edit("import inflection", f"{telling}import inflection", "flows/hello.py")
    assert stack.ctl("build-image", environment=shell).code == 0
    step("Neither the build of a source distribution nor an imported flow was given any of it.")
    assert read_told(built).items().isdisjoint(shell.items())
    assert "CLOUD_TOKEN" not in imported.read_text(encoding="utf-8").split()
    assert stack.ctl("up", environment=shell).code == 0
    assert stack.ctl("run", "hello/hello", "--watch", environment=shell).code == 0
    step("Nothing of it has reached a process, and no database is where it points.")
    leaked = [
        (found.service, name)
        for found in local_machine(stack).processes()
        for name, value in shell.items()
        if found.environment.get(name) == value
    ]
    assert leaked == []
    assert not (tmp_path / "other.db").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
def test_another_user_is_told_whose_the_platform_is(new_local_stack: NewStack) -> None:
    stack = new_local_stack()
    stack.must("render")
    owner = pwd.getpwall()[-1]
    os.chown(stack.folder / ".platform", owner.pw_uid, owner.pw_gid)
    try:
        for word in ("status", "plan", "up", "down"):
            result = stack.ctl(word)
            assert result.code == 1
            assert f"belong to the user '{owner.pw_name}'" in result.err
            assert f"Type the command as '{owner.pw_name}'" in result.err
    finally:
        os.chown(stack.folder / ".platform", os.geteuid(), os.getegid())
