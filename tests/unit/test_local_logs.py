"""Logs of local processes: their ends, and what follows over a rotation."""

from itertools import islice
from pathlib import Path

from platformctl.runtimes.local.logs import last_lines, read_logs


def test_the_last_lines_of_each_log_stand_behind_its_name(tmp_path: Path) -> None:
    server, worker = tmp_path / "server.log", tmp_path / "worker.log"
    server.write_text("one\ntwo\nthree\n")
    worker.write_text("hello\n")

    lines = read_logs({"acme-server": server, "acme-worker-dev-1": worker}, follow=False, tail=2)
    assert list(lines) == ["acme-server       | two", "acme-server       | three", "acme-worker-dev-1 | hello"]


def test_a_log_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "server.log") == ""
    assert list(read_logs({"acme-server": tmp_path / "server.log"}, follow=False, tail=None)) == []


def test_what_is_written_from_now_on_is_followed_over_a_rotation(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    log.write_text("before\n")
    lines = read_logs({"a": log}, follow=True, tail=None)
    assert next(lines) == "a | before"

    with log.open("a") as file:
        file.write("half a ")
        file.flush()
        file.write("line\nlast of the old\n")
    log.rename(tmp_path / "server.log.1")
    log.write_text("first of the new\n")

    assert list(islice(lines, 3)) == ["a | half a line", "a | last of the old", "a | first of the new"]
