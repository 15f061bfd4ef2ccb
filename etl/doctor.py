"""Is this machine ready: libraries, settings, folders, credentials, clock, endpoint. Finds out; prints nothing.

The endpoint is asked with one signed GET on its base URL, which changes nothing. What the answers mean stands in the
company's page on authentication: 404 "No method found matching route" says that the signature is good.
"""

from __future__ import annotations

import contextlib
import platform
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from urllib.parse import urlsplit

from etl.errors import EtlError, SettingsError
from etl.finding import Finding, State
from etl.settings import REPORTS_FOLDER, SANDBOX, Settings, TargetSettings, load_settings

LEAST_PYTHON = (3, 11)
_DISTRIBUTION = "salesmanago-etl"
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*>=\s*([0-9][0-9.]*)")
_PANDERA_ON = frozenset({"true", "True", "1"})
"""The words by which pandera leaves its validation on (pandera/config.py)."""


def examine(*, config: Path | None, target: str | None, environ: Mapping[str, str], folder: Path) -> Iterator[Finding]:
    """Yield what is found, as it is found. `folder`: where the run would be started; `target`: whose endpoint to ask.

    None: the default target, if there is one. For `sandbox` an embedded one is started. Takes as long as the endpoint.
    """
    yield _python()
    yield _libraries()
    yield _validation(environ)
    yield _writable("reports", folder / REPORTS_FOLDER)
    yield _writable("temporary", Path(tempfile.gettempdir()))
    try:
        settings = load_settings(config, environ, folder)
    except SettingsError as error:
        yield Finding(State.FAILED, "settings", str(error))
        return
    yield _settings(settings)
    yield Finding(State.OK, "targets", ", ".join(_described(settings, name) for name in settings.names))
    if target is None and settings.default_target is None:
        yield Finding(State.NOTE, "endpoint", "not asked, since no target is given", "add --target NAME")
        return
    try:
        chosen = settings.target(target)
    except SettingsError as error:
        yield Finding(State.FAILED, "target", error.message, error.hint)
        return
    yield from _endpoint(settings, chosen)


def _python() -> Finding:
    told = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < LEAST_PYTHON:
        return Finding(State.FAILED, "Python", told, "Python 3.11 or newer is needed")
    return Finding(State.OK, "Python", told)


def _libraries() -> Finding:
    bounds = dict(lower_bounds())
    if not bounds:
        message = "their versions cannot be compared: this copy is not installed, and has no pyproject.toml"
        return Finding(State.NOTE, "libraries", message)
    wrong = []
    for name, least in bounds.items():
        try:
            found = version(name)
        except PackageNotFoundError:
            wrong.append(f"{name} is missing ({least} or newer is needed)")
            continue
        if _numbers(found) < _numbers(least):
            wrong.append(f"{name} {found} is older than {least}")
    if wrong:
        return Finding(
            State.FAILED, "libraries", "; ".join(wrong), "install the package again: pip install salesmanago-etl"
        )
    told = ", ".join(f"{name} {version(name)}" for name in ("pandas", "pandera", "pyarrow", "requests"))
    return Finding(State.OK, "libraries", f"{told} and {len(bounds) - 4} more are recent enough")


def lower_bounds() -> Iterator[tuple[str, str]]:
    """Yield each library that is needed, with its lowest version; from the installed package, else pyproject.toml."""
    try:
        lines = requires(_DISTRIBUTION) or []
    except PackageNotFoundError:
        pyproject = Path(__file__).parents[1] / "pyproject.toml"
        with contextlib.suppress(OSError, tomllib.TOMLDecodeError, KeyError):
            table = tomllib.loads(pyproject.read_text(encoding="utf-8"))
            lines = table["project"]["dependencies"] if table["project"]["name"] == _DISTRIBUTION else []
            yield from _bounds(lines)
        return
    yield from _bounds(lines)


def _bounds(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        match = _REQUIREMENT.match(line)
        if match and "extra ==" not in line:
            yield match[1], match[2]


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"[0-9]+", text.partition("+")[0])[:3])


def _validation(environ: Mapping[str, str]) -> Finding:
    value = environ.get("PANDERA_VALIDATION_ENABLED", "True")
    if value in _PANDERA_ON:
        return Finding(State.OK, "validation", "pandera validates")
    message = "pandera's validation is switched off by the environment variable PANDERA_VALIDATION_ENABLED"
    return Finding(State.FAILED, "validation", message, "unset it: without validation nothing is sent")


def _writable(subject: str, folder: Path) -> Finding:
    """Try to write; the folder is made and removed again where there is none."""
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    try:
        with tempfile.NamedTemporaryFile(dir=existing, prefix=".etl-doctor-"):
            pass
    except OSError as error:
        message = f"{folder} cannot be written to: {error.strerror}"
        return Finding(State.FAILED, subject, message, "choose another folder (--out DIR; TMPDIR for temporary files)")
    return Finding(State.OK, subject, f"{folder} can be written to")


def _settings(settings: Settings) -> Finding:
    if settings.file is not None:
        return Finding(State.OK, "settings", f"{settings.file} is read")
    return Finding(State.NOTE, "settings", f"there is no etl.toml in {settings.folder}; the sandbox is the only target")


def _described(settings: Settings, name: str) -> str:
    if name == SANDBOX:
        return SANDBOX
    target = settings.targets[name]
    default = ", the default" if name == settings.default_target else ""
    return f"{name} ({urlsplit(target.url).hostname}, {target.auth}, {target.wire}{default})"


def _endpoint(settings: Settings, target: TargetSettings) -> Iterator[Finding]:
    if target.name == SANDBOX:
        from etl.sandbox import Sandbox

        try:
            with Sandbox() as sandbox:
                yield from _answers(settings, target.at(sandbox.url))
        except EtlError as error:
            yield Finding(State.FAILED, "endpoint", error.message, error.hint)
        return
    yield from _answers(settings, target)


def _answers(settings: Settings, target: TargetSettings) -> Iterator[Finding]:
    # They load the network libraries, which only an endpoint that is asked needs.
    from etl.doctor_endpoint import ask
    from etl.targets.auth import signer_for

    try:
        signer = signer_for(target, settings.credentials(target))
    except EtlError as error:
        yield Finding(State.FAILED, "credentials", error.message, error.hint)
        return
    needs = 'none are needed: auth = "none"' if target.auth == "none" else f"present, for {target.auth} (not shown)"
    yield Finding(State.OK, "credentials", needs)
    yield from ask(target, signer)
