"""prefect.yaml as it is read: which deployments, in which image, and what is wrong with it."""

from pathlib import Path

import pytest
import yaml

from platformctl.errors import SpecError
from platformctl.spec.load import load_project
from platformctl.stack.deployments import Deployment, deployment_files, load_deployments
from platformctl.stack.images.context import load_images
from projects import DEPLOYMENTS, SPEC, write_project


def load(folder: Path) -> tuple[Deployment, ...]:
    project = load_project(folder)
    return load_deployments(project, load_images(project))


def test_a_deployment_is_in_the_image_of_its_pool(tmp_path: Path) -> None:
    (deployment,) = load(write_project(tmp_path, prefect_yaml=DEPLOYMENTS))

    assert (deployment.name, deployment.pool, deployment.image) == ("nightly", "prod", "pipelines")


def test_without_prefect_yaml_there_are_none(tmp_path: Path) -> None:
    assert load(write_project(tmp_path)) == ()
    assert load(write_project(tmp_path, prefect_yaml="# nothing yet\n")) == ()


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ("prefect.yaml", DEPLOYMENTS.replace("prod", "dev")),
        ("flows/hello.py", "# another flow\n"),
        ("requirements.txt", "rich\n"),
    ],
)
def test_a_changed_declaration_flow_or_dependency_is_registered_again(tmp_path: Path, changed: str, text: str) -> None:
    (before,) = load(write_project(tmp_path, prefect_yaml=DEPLOYMENTS))
    (tmp_path / changed).write_text(text)
    (after,) = load(tmp_path)

    assert before.digest != after.digest
    assert before.key == after.key


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("deployments: [\n", "prefect.yaml:2: not YAML"),
        ("- a\n", "expected a mapping"),
        ("deployments: 3\n", "must be a list"),
        (DEPLOYMENTS + "    pull: []\n", "deployment 'nightly' has an empty `pull`"),
        ("pull:\n" + DEPLOYMENTS, "the file has an empty `pull`"),
        (DEPLOYMENTS + DEPLOYMENTS.removeprefix("deployments:\n"), "is there twice"),
        ("deployments:\n  - entrypoint: flows/hello.py:hello\n", "a deployment has no name"),
        ("deployments:\n  - name: nightly\n", "deployment 'nightly' has no entrypoint"),
        (DEPLOYMENTS.replace("    work_pool: {name: prod}\n", ""), "names no work pool"),
        (DEPLOYMENTS.replace("prod", "prd"), "names the work pool 'prd'.*did you mean 'prod'"),
        (DEPLOYMENTS.replace("flows/hello.py", "flows/helo.py"), "there is no such file"),
        (DEPLOYMENTS.replace("flows/hello.py", "other/hello.py"), "holds the folder 'flows'"),
        (DEPLOYMENTS.replace("flows/hello.py:hello", "hello"), "expected FOLDER/FILE.py:FLOW"),
    ],
)
def test_a_wrong_declaration_is_one_clear_error(tmp_path: Path, text: str, said: str) -> None:
    write_project(tmp_path, prefect_yaml=text)

    with pytest.raises(SpecError, match=said):
        load(tmp_path)


def test_each_image_registers_what_is_in_it_with_all_that_is_shared(tmp_path: Path) -> None:
    spec = SPEC + '\n[images.other]\nflows = "flows"\n[pools.etl]\nimage = "other"\n'
    spec = spec.replace("[pools.dev]\n", '[pools.dev]\nimage = "pipelines"\n').replace(
        "[pools.prod]\n", '[pools.prod]\nimage = "pipelines"\n'
    )
    more = DEPLOYMENTS + "  - {name: hourly, entrypoint: 'flows/hello.py:hello', work_pool: {name: etl}}\nbuild: []\n"
    project = load_project(write_project(tmp_path, spec, prefect_yaml=more))

    files = deployment_files(project, load(tmp_path))

    names = {
        image: [entry["name"] for entry in yaml.safe_load(content)["deployments"]] for image, content in files.items()
    }
    assert names == {"pipelines": ["nightly"], "other": ["hourly"]}
    assert all(yaml.safe_load(content)["build"] == [] for content in files.values())
