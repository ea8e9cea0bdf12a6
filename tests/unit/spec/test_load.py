"""What an operator reads when platform.toml is wrong: file, line, found, expected, nearest."""

from pathlib import Path

import pytest

from platformctl.errors import PlatformError, SpecError, UsageError
from platformctl.spec.load import load_project
from projects import SPEC, write_project

VALID_HEAD = '[platform]\nname = "acme"\n\n[images.pipelines]\nrequirements = "requirements.txt"\n\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[platform]\nname = \n", "platform.toml:2: not TOML"),
        ('[platform]\nname = "a"\n[pools.dev]\n[pools.dev]\n', "platform.toml:4: not TOML"),
        (
            VALID_HEAD + "[pools.dev]\nwrokers = 2\n",
            "platform.toml:8: unknown key 'pools.dev.wrokers'; did you mean 'workers'?",
        ),
        (VALID_HEAD + "[pool.dev]\n", "platform.toml:7: unknown key 'pool'; did you mean 'pools'?"),
        (
            VALID_HEAD + '[pools.dev]\nworkers = "2"\n',
            'platform.toml:8: pools.dev.workers is the string "2", expected a whole number',
        ),
        (VALID_HEAD + "[pools.dev]\nworkers = true\n", "pools.dev.workers is true, expected a whole number"),
        (VALID_HEAD + "[pools.dev]\nworkers = -1\n", "platform.toml:8: pools.dev.workers is -1, expected at least 0"),
        (VALID_HEAD + "[pools.dev]\nworkers = 100000\n", "pools.dev.workers is 100000, expected at most 200"),
        (
            VALID_HEAD + '[pools.dev]\nimage = "pipeline"\n',
            "platform.toml:8: pools.dev.image is 'pipeline', and there is no",
        ),
        (
            VALID_HEAD + '[pools.dev]\ntype = "warp"\n',
            "pools.dev.type is the string \"warp\", expected 'warm' or 'process'",
        ),
        (
            VALID_HEAD + '[pools.dev]\ntype = "process"\npreload = ["pandas"]\nrun_seconds = 9\n',
            "platform.toml:9: preload, run_seconds of pools.dev: only warm workers use this",
        ),
        (
            VALID_HEAD + '[pools.dev]\ntype = "warm"\nrun_memory = "1024m"\n',
            "platform.toml:9: pools.dev.run_memory is '1024m', expected less than the worker's own memory, 1g",
        ),
        (
            VALID_HEAD + '[pools.dev]\nmemory = "512m"\ntmp = "1g"\n',
            "platform.toml:9: pools.dev.tmp is '1g', expected less than the worker's memory, 512m, which it is a part of",
        ),
        (VALID_HEAD + '[pools.dev]\ncpus = "2"\n', 'pools.dev.cpus is the string "2", expected a number'),
        (VALID_HEAD + "[pools.dev]\ncpus = 0\n", "pools.dev.cpus is 0, expected at least 0.01"),
        (VALID_HEAD + "[server]\ncpus = nan\n", "server.cpus is nan, expected"),
        (VALID_HEAD + "[database]\ncpus = inf\n", "database.cpus is inf, expected"),
        (
            VALID_HEAD + '[pools.dev]\nrun_memory = "32m"\n',
            'pools.dev.run_memory is the string "32m", expected at least 64m',
        ),
        (
            VALID_HEAD + '[pools.dev]\ntype = "warm"\npreload = ["pandas, numpy"]\n',
            'pools.dev.preload.0 is the string "pandas, numpy", expected the name of a Python module',
        ),
        (
            VALID_HEAD.replace('"acme"\n', '"acme"\nprefect = "3.6.25"\n') + '[pools.dev]\ntype = "warm"\n',
            "pools.dev has warm workers, which need Prefect 3.6.29, and platform.prefect is 3.6.25",
        ),
        (
            VALID_HEAD + '[pools."Bad Name"]\n',
            "'Bad Name' under [pools] is not a legal name: expected a name of at most 30",
        ),
        (VALID_HEAD + "[pools.-dev]\n", "'-dev' under [pools] is not a legal name"),
        (VALID_HEAD + "[server]\nport = 65536\n", "platform.toml:8: server.port is 65536, expected at most 65535"),
        (VALID_HEAD + "[server]\nport = 0\n", "server.port is 0, expected at least 1"),
        (VALID_HEAD + "pools = 3\n", "unknown key 'images.pipelines.pools'"),
        ("pools = 3\n" + VALID_HEAD, "platform.toml:1: pools is 3, expected a table"),
        ("[server]\nport = 4200\n", "[platform] is missing"),
        ("[platform]\n", "platform.toml:1: platform.name is missing"),
        ('[platform]\nname = "Acme"\n', 'platform.name is the string "Acme", expected a name of at most 30'),
        ('[platform]\nname = "a"\nprefect = "3.10.0"\n', 'expected a full version from 3.6.25 to 3.9, such as "3.9.1"'),
        ('[platform]\nname = "a"\nprefect = "3.9"\n', "expected a full version from 3.6.25 to 3.9"),
        ('[platform]\nname = "a"\nprefect = "3.9.01"\n', "expected a full version from 3.6.25 to 3.9"),
        ('[platform]\nname = "a"\nprefect = "3.6.24"\n', "older ones are open to attack (CVE-2026-7722"),
        ('[platform]\nname = "a"\nprefect = "2.20.0"\n', "older ones are open to attack (CVE-2026-7722"),
        *(
            (
                f'[platform]\nname = "a"\n[database]\nimage = "{image}"\n',
                'expected an image whose tag names PostgreSQL 14 to 18, such as "postgres:18"',
            )
            for image in ("postgres:13", "postgres:19", "postgres", "postgres:latest", "hub:5000/postgres")
        ),
        ('[platform]\nname = "a"\n[pools.dev]\n', "platform.toml:3: pools.dev has no image"),
        (
            '[platform]\nname = "a"\n[images.p]\nrequirements = "missing.txt"\n',
            "platform.toml:4: images.p.requirements is 'missing.txt', and there is no such file",
        ),
        (
            '[platform]\nname = "a"\n[images.p]\nflows = "nowhere"\n',
            "images.p.flows is 'nowhere', and there is no such folder",
        ),
        ('[platform]\nname = "a"\n[images.p]\nflows = "/etc"\n', "expected a folder inside"),
        (VALID_HEAD + '[server]\nhost = "localhost"\n', "expected an IP address of this host"),
        ('[platform]\nname = "a"\n[images.p]\nsystem = ["git; rm"]\n', "expected the name of a Debian package"),
        ('[platform]\nname = "a"\n[build]\nca = "ca.pem"\n', "build.ca names 'ca.pem', and there is no such file"),
    ],
)
def test_a_wrong_spec_is_one_clear_error(tmp_path: Path, text: str, said: str) -> None:
    write_project(tmp_path, text)

    with pytest.raises(SpecError) as raised:
        load_project(tmp_path)

    assert said in raised.value.message
    assert "nothing was changed" in raised.value.remedy
    assert raised.value.exit_code == 2


def test_every_problem_is_named_at_once(tmp_path: Path) -> None:
    write_project(tmp_path, VALID_HEAD + "[server]\nport = 0\n\n[pools.dev]\nworkers = -1\nlimt = 3\n")

    with pytest.raises(SpecError) as raised:
        load_project(tmp_path)

    assert raised.value.message.count("platform.toml:") == 3


def test_a_folder_without_a_spec_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        load_project(tmp_path)

    assert "platformctl init" in raised.value.remedy


def test_an_overlay_changes_what_it_names_and_is_a_platform_of_its_own(tmp_path: Path) -> None:
    write_project(tmp_path, SPEC + "\n[env.prod.server]\nport = 4300\n[env.prod.pools.dev]\nworkers = 3\n")

    base, overlaid = load_project(tmp_path), load_project(tmp_path, "prod")

    assert (base.spec.server.port, base.spec.pools["dev"].workers, base.spec.platform.name) == (4200, 1, "acme")
    assert (overlaid.spec.server.port, overlaid.spec.pools["dev"].workers) == (4300, 3)
    assert overlaid.spec.platform.name == "acme-prod"
    assert overlaid.spec.pools["prod"] == base.spec.pools["prod"]
    assert overlaid.state != base.state


def test_an_overlay_may_name_its_platform(tmp_path: Path) -> None:
    write_project(tmp_path, SPEC + '\n[env.prod.platform]\nname = "big"\n')

    assert load_project(tmp_path, "prod").spec.platform.name == "big"


def test_an_overlay_that_is_not_there_is_named_with_the_nearest(tmp_path: Path) -> None:
    write_project(tmp_path, SPEC + "\n[env.prod.server]\nport = 4300\n")

    with pytest.raises(UsageError, match=r"no overlay 'prd'.*did you mean 'prod'"):
        load_project(tmp_path, "prd")


def test_a_problem_of_an_overlay_is_found_in_the_overlay(tmp_path: Path) -> None:
    write_project(tmp_path, SPEC + "\n[env.prod.server]\nport = 70000\n")

    with pytest.raises(SpecError, match=r"platform.toml:16: server.port is 70000"):
        load_project(tmp_path, "prod")


def test_keys_that_begin_with_x_are_free(tmp_path: Path) -> None:
    write_project(
        tmp_path, SPEC.replace("workers = 2", "workers = 2\nx-owner = 'data team'") + "\n[x-notes]\nanything = 1\n"
    )

    assert load_project(tmp_path).spec.pools["prod"].workers == 2


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "platform.toml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(PlatformError, match="can't be read"):
        load_project(tmp_path)
