"""From platform.toml, perhaps an overlay of it, and platform.lock to frozen values. Nothing else of a platform is read here."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from platformctl.errors import SpecError, UsageError
from platformctl.files import STATE_FOLDER, is_one_line, read_small_text
from platformctl.model.spec import KeyPath, Pool, Spec
from platformctl.model.texts import NAME_RULE, is_name
from platformctl.spec.check import check_spec
from platformctl.spec.locked import read_digests
from platformctl.spec.problems import Problem, problems_of, spec_error, unknown_name

FILE_NAME = "platform.toml"
_DEPTH = 20
"""The levels of tables and lists: more than any key of a spec has."""
_EMPTY: dict[str, object] = {"server": {}, "database": {}, "build": {}}
"""Tables that may be left out. Given as empty ones they are validated within Spec, and need no validator of their own."""


@dataclass(frozen=True, slots=True)
class Project:
    """A platform's folder: where it is, which overlay is chosen, the spec that follows from both, and images' digests."""

    root: Path
    env: str | None
    spec: Spec
    digests: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The platform.toml."""
        return self.root / FILE_NAME

    @property
    def server_url(self) -> str:
        """The address that a browser on this host opens; one that means every interface becomes the loopback one."""
        server = self.spec.server
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.host, server.host)  # noqa: S104  # compared, not bound
        return f"http://{in_url(host)}:{server.port}"

    @property
    def state(self) -> Path:
        """The folder of secrets and of what is rendered."""
        return state_folder(self.root, self.env)

    @property
    def bundle(self) -> Path:
        """The folder of the rendered bundle."""
        return self.state / "bundle"

    @property
    def secrets(self) -> Path:
        """The folder of secrets, closed to other users of the host."""
        return self.state / "secrets"

    @property
    def local(self) -> Path:
        """The folder of what the local runtime runs: environments, logs, the supervisor's socket."""
        return self.state / "local"

    @property
    def data(self) -> Path:
        """The folder of what the local runtime must not lose."""
        return self.state / "data"

    @property
    def sqlite(self) -> Path:
        """The local runtime's database."""
        return self.data / "database" / "prefect.db"

    def locked(self, image: str) -> str:
        """Return the reference of an image from outside: by its digest too where platform.lock has one."""
        digest = self.digests.get(image)
        return f"{image}@{digest}" if digest else image

    def image_of(self, pool: Pool) -> str:
        """The name of the image that a pool's workers run."""
        return pool.image or next(iter(self.spec.images))

    def pools_of(self, image: str) -> list[Pool]:
        """The pools whose workers run an image."""
        return [pool for pool in self.spec.pools.values() if self.image_of(pool) == image]


def in_url(host: str) -> str:
    """Return an address as it stands in a URL or in a port binding: an IPv6 one in brackets."""
    return f"[{host}]" if ":" in host else host


def state_folder(root: Path, env: str | None) -> Path:
    """Return the folder beside platform.toml that belongs to platformctl, one for each overlay."""
    return root / STATE_FOLDER / "envs" / env if env else root / STATE_FOLDER


def load_project(folder: Path, env: str | None = None) -> Project:
    """Read a folder's platform.toml with the overlay `env` merged in.

    Raises UsageError where the file or the overlay isn't there, and SpecError, with lines, for what is wrong in it.
    """
    root = Path(os.path.realpath(folder))
    if not is_one_line(str(root)):
        raise SpecError(f"The path {str(root)!r} isn't a text in UTF-8 on one line.", remedy="Rename its folders.")
    file = root / FILE_NAME
    text = read_text(file)
    spec = _read_spec(file, text, env)
    overlays = _parse(file, text).get("env") if env is None else None
    for name in overlays if isinstance(overlays, dict) else ():
        _read_spec(file, text, str(name))  # one that is wrong is found before it is chosen
    problems = [_in_overlay(problem, text, env) for problem in check_spec(spec, root)]
    if problems:
        raise spec_error(file, text, problems)
    return Project(root, env, spec, read_digests(root))


def _read_spec(file: Path, text: str, env: str | None) -> Spec:
    merged = _without_private_keys(_merge_overlay(_parse(file, text), env, file))
    try:
        return Spec.model_validate({**_EMPTY, **merged})
    except ValidationError as error:
        raise spec_error(file, text, [_in_overlay(problem, text, env) for problem in problems_of(error)]) from error


def read_text(file: Path) -> str:
    """Return the text of platform.toml; raises UsageError where it can't be read."""
    try:
        text = read_small_text(file)
    except FileNotFoundError as error:
        remedy = "Type `platformctl init` to make one, or name its folder with -C DIR."
        raise UsageError(f"There is no {FILE_NAME} in {file.parent}.", remedy=remedy) from error
    except NotADirectoryError as error:
        raise UsageError(
            f"{file.parent} is not a folder.", remedy="-C DIR names the folder of platform.toml."
        ) from error
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{file} can't be read: {error}.", remedy="It must be a readable text file in UTF-8."
        ) from error
    if text.startswith("\ufeff"):
        remedy = f'Save {file} as "UTF-8" and not as "UTF-8 with BOM"; nothing was changed.'
        raise SpecError(
            f"{file.name}:1: the file begins with a byte order mark, which TOML doesn't allow", remedy=remedy
        )
    return text


def _parse(file: Path, text: str) -> dict[str, object]:
    try:
        content = tomllib.loads(text)
    except ValueError as error:
        from platformctl.spec.locate import syntax_error  # noqa: PLC0415  # what an error needs, a good file doesn't pay for

        raise syntax_error(file, text, error) from error
    except RecursionError as error:
        raise _too_deep(file) from error
    if _is_deeper(content, _DEPTH):
        raise _too_deep(file)
    return content


def _is_deeper(value: object, levels: int) -> bool:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_is_deeper(item, levels - 1) for item in below)


def _too_deep(file: Path) -> SpecError:
    found = f"{file.name}: tables or lists are nested more than {_DEPTH} levels deep"
    return SpecError(found, remedy=f"Correct {file}; nothing was changed.")


def _merge_overlay(content: dict[str, object], env: str | None, file: Path) -> dict[str, object]:
    overlays = content.pop("env", {})
    if not isinstance(overlays, dict) or not all(isinstance(overlay, dict) for overlay in overlays.values()):
        raise SpecError(
            f"{file.name}: env must hold tables, such as [env.NAME.server].", remedy=f"Correct it in {file}."
        )
    if illegal := next((name for name in overlays if not is_name(name)), None):
        said = f"{file.name}: {illegal!r} under [env] is not a legal name: expected {NAME_RULE}"
        raise SpecError(said, remedy=f"Correct it in {file}; nothing was changed.")
    if env is None:
        return content
    if env not in overlays:
        there = f", or choose one that is there: {', '.join(sorted(overlays))}" if overlays else ""
        remedy = f"Add [env.{env}.server] or another table of it to {file}{there}."
        raise unknown_name(f"There is no overlay {env!r} in {file.name}", env, sorted(overlays), remedy=remedy)
    merged = _merge(content, overlays[env])
    return _merge(merged, _overlay_name(merged, overlays[env], env))


def _overlay_name(merged: Mapping[str, object], overlay: Mapping[str, object], env: str) -> Mapping[str, object]:
    """An overlay is a platform of its own beside the others, unless it names itself."""
    base, own = merged.get("platform"), overlay.get("platform")
    if not isinstance(base, dict) or (isinstance(own, dict) and "name" in own) or "name" not in base:
        return {}
    return {"platform": {"name": f"{base['name']}-{env}"}}


def _merge(base: Mapping[str, object], overlay: Mapping[str, object]) -> dict[str, object]:
    merged = dict(base)
    for key, value in overlay.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _without_private_keys(content: Mapping[str, object]) -> dict[str, object]:
    return {
        key: _without_private_keys(value) if isinstance(value, dict) else value
        for key, value in content.items()
        if not key.startswith("x-")
    }


def _in_overlay(problem: Problem, text: str, env: str | None) -> Problem:
    """Point at the overlay where the overlay says it, and at the file's own tables otherwise."""
    path: KeyPath = ("env", env, *problem.path) if env else ()
    found: object = tomllib.loads(text)
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return Problem(path, problem.message) if path and found is not None else problem
