"""What each key of a spec can't know alone: tables that name one another, and files that must be there."""

from pathlib import Path

from platformctl.files import SMALL, is_file, is_folder
from platformctl.model.releases import OLDEST_WARM, parse_version
from platformctl.model.spec import WARM_KEYS, Image, Pool, Spec
from platformctl.model.texts import mebibytes
from platformctl.spec.contents import outside_words
from platformctl.spec.problems import Problem, nearest
from platformctl.spec.reserved import instead_of

REQUIREMENTS = ("requirements.txt", "pyproject.toml", "uv.lock")


def check_spec(spec: Spec, root: Path) -> list[Problem]:
    """Return the problems of a spec whose folder is `root`."""
    problems = [problem for name, image in spec.images.items() for problem in _check_image(name, image, root)]
    if "server" in spec.images:
        problems.append(
            Problem(("images", "server"), "images.server is the name of the server's own image; choose another")
        )
    problems += [problem for name, pool in spec.pools.items() for problem in _check_pool(name, pool, spec)]
    return problems + _check_ca(spec.build.ca, root)


def _check_ca(ca: str, root: Path) -> list[Problem]:
    """A file of the machine's will do: a build reads it, and no image keeps it."""
    if not ca or is_file(root / ca):
        return []
    return [Problem(("build", "ca"), f"build.ca names {ca!r}, and there is no such file")]


def _check_pool(name: str, pool: Pool, spec: Spec) -> list[Problem]:
    return _check_environment(name, pool) + _check_workers(name, pool, spec)


def _check_environment(name: str, pool: Pool) -> list[Problem]:
    return [
        Problem(
            ("pools", name, "environment", variable),
            f"pools.{name}.environment sets {variable}, which the platform sets itself; {instead}",
        )
        for variable in pool.environment
        if (instead := instead_of(variable))
    ]


def _check_workers(name: str, pool: Pool, spec: Spec) -> list[Problem]:
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
    return [Problem(("pools", name, unknown[0]), f'{which}: only warm workers use this; expected type = "warm"')]


def _check_image(name: str, image: Image, root: Path) -> list[Problem]:
    found = {"requirements": _wrong_requirements(image.requirements, root), "flows": _wrong_flows(image.flows, root)}
    return [
        Problem(("images", name, key), f"images.{name}.{key} is {getattr(image, key)!r}, {words}")
        for key, words in found.items()
        if words
    ]


def _wrong_requirements(requirements: str, root: Path) -> str | None:
    file = root / requirements
    if not requirements:
        return None
    if not is_file(file):
        return f"and there is no such file in {root}"
    if not _is_requirements(file.name):
        return f"expected *.txt or {', '.join(REQUIREMENTS[1:])}"
    files = [file, file.with_name("pyproject.toml")] if file.name == "uv.lock" else [file]
    if not is_file(files[-1]):
        return "and there is no pyproject.toml beside it"
    return next((words for path in files if (words := _wrong_file(path, root))), None)


def _wrong_file(file: Path, root: Path) -> str | None:
    if words := outside_words(root, file):
        return f"and {file.relative_to(root) if file.is_relative_to(root) else file} {words}"
    size = file.stat().st_size
    return f"and {file.name} has {size // 2**20} MiB, expected less than {SMALL // 2**20}" if size > SMALL else None


def _wrong_flows(flows: str, root: Path) -> str | None:
    folder = root / flows
    if not flows:
        return None
    if not is_folder(folder):
        return f"and there is no such folder in {root}"
    words = outside_words(root, folder)
    return f"which {words}, expected a folder inside {root}" if words else None


def _is_requirements(name: str) -> bool:
    return name.endswith(".txt") or name in REQUIREMENTS
