"""What each key of a spec can't know alone: tables that name one another, and files that must be there."""

from pathlib import Path

from platformctl.model.releases import OLDEST_WARM, parse_version
from platformctl.model.spec import WARM_KEYS, Image, Pool, Spec, mebibytes
from platformctl.spec.problems import Problem, nearest

REQUIREMENTS = ("requirements.txt", "pyproject.toml", "uv.lock")


def check_spec(spec: Spec, root: Path) -> list[Problem]:
    """Return the problems of a spec whose folder is `root`."""
    problems = [problem for name, image in spec.images.items() for problem in _check_image(name, image, root)]
    if "server" in spec.images:
        problems.append(
            Problem(("images", "server"), "images.server is the name of the server's own image; choose another")
        )
    problems += [problem for name, pool in spec.pools.items() for problem in _check_pool(name, pool, spec)]
    if spec.build.ca and not (root / spec.build.ca).is_file():
        problems.append(Problem(("build", "ca"), f"build.ca names {spec.build.ca!r}, and there is no such file"))
    return problems


def _check_pool(name: str, pool: Pool, spec: Spec) -> list[Problem]:
    images = list(spec.images)
    if pool.image and pool.image not in images:
        found = (
            f"pools.{name}.image is {pool.image!r}, and there is no [images.{pool.image}]{nearest(pool.image, images)}"
        )
        return [Problem(("pools", name, "image"), found)]
    if not pool.image and len(images) != 1:
        which = f"one of: {', '.join(images)}" if images else "after adding [images.NAME]"
        return [Problem(("pools", name), f"pools.{name} has no image; expected image = NAME, {which}")]
    of_type = _check_warm(name, pool, spec) if pool.type == "warm" else _check_process(name, pool)
    return [*_check_tmp(name, pool), *of_type]


def _check_tmp(name: str, pool: Pool) -> list[Problem]:
    if pool.tmp is None or mebibytes(pool.tmp) < mebibytes(pool.memory):
        return []
    found = f"pools.{name}.tmp is {pool.tmp!r}, expected less than the worker's memory, {pool.memory}, which it is a part of"
    return [Problem(("pools", name, "tmp"), found)]


def _check_warm(name: str, pool: Pool, spec: Spec) -> list[Problem]:
    prefect = spec.platform.prefect
    if (parse_version(prefect) or OLDEST_WARM) < OLDEST_WARM:
        oldest = ".".join(str(part) for part in OLDEST_WARM)
        found = f"pools.{name} has warm workers, which need Prefect {oldest}, and platform.prefect is {prefect}"
        return [Problem(("pools", name), f'{found}; expected a later one, or type = "process" here')]
    if pool.run_memory and mebibytes(pool.run_memory) >= mebibytes(pool.memory):
        found = (
            f"pools.{name}.run_memory is {pool.run_memory!r}, expected less than the worker's own memory, {pool.memory}"
        )
        return [Problem(("pools", name, "run_memory"), found)]
    return []


def _check_process(name: str, pool: Pool) -> list[Problem]:
    unknown = [key for key in WARM_KEYS if key in pool.model_fields_set]
    if not unknown:
        return []
    which = f"{', '.join(unknown)} of pools.{name}"
    return [Problem(("pools", name, unknown[0]), f'{which}: only a warm worker knows that; expected type = "warm"')]


def _check_image(name: str, image: Image, root: Path) -> list[Problem]:
    problems = []
    if image.requirements and not (root / image.requirements).is_file():
        found = f"images.{name}.requirements is {image.requirements!r}, and there is no such file in {root}"
        problems.append(Problem(("images", name, "requirements"), found))
    elif image.requirements and not _is_requirements(Path(image.requirements).name):
        found = f"images.{name}.requirements is {image.requirements!r}, expected *.txt or {', '.join(REQUIREMENTS[1:])}"
        problems.append(Problem(("images", name, "requirements"), found))
    elif (
        Path(image.requirements).name == "uv.lock"
        and not (root / image.requirements).with_name("pyproject.toml").is_file()
    ):
        found = f"images.{name}.requirements is {image.requirements!r}, and there is no pyproject.toml beside it"
        problems.append(Problem(("images", name, "requirements"), found))
    if image.flows and not (root / image.flows).is_dir():
        found = f"images.{name}.flows is {image.flows!r}, and there is no such folder in {root}"
        problems.append(Problem(("images", name, "flows"), found))
    elif image.flows and not (root / image.flows).resolve().is_relative_to(root):
        found = f"images.{name}.flows is {image.flows!r}, expected a folder inside {root}"
        problems.append(Problem(("images", name, "flows"), found))
    return problems


def _is_requirements(name: str) -> bool:
    return name.endswith(".txt") or name in REQUIREMENTS
