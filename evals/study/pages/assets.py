"""jsPsych in a study's folder: fetched once with npm or copied from a folder, and the same bytes ever after."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evals.study.folder import ASSETS as FOLDER
from saywhy_core.disk.files import atomic_open
from saywhy_core.errors import UsageError
from saywhy_core.reading.raw import read_bytes

if TYPE_CHECKING:
    import os


@dataclass(frozen=True)
class Asset:
    """A file of an npm package that the pages load.

    Attributes:
        name: what it is called in the study's `assets/`, and in its pages.
        package: the npm package.
        version: of the package.
        path: where it lies in the package.
        sha512: the SHA-512 of its bytes, in base64.
        title: what the file is, for the line above it that names its licence.
    """

    name: str
    package: str
    version: str
    path: str
    sha512: str
    title: str


_BUILT = "dist/index.browser.min.js"
ASSETS: tuple[Asset, ...] = (
    Asset(
        "jspsych.js", "jspsych", "8.3.0", _BUILT,
        "MInxHu/3/uR6qlMjyY1SQfXE52K9tyeFAkcu4lZh44svrdh/z6jeKp6Y9wRSJ5rSA0rIGE1V2NR79q86vJSrgA==",
        "jsPsych 8.3.0",
    ),
    Asset(
        "survey-html-form.js", "@jspsych/plugin-survey-html-form", "2.1.0", _BUILT,
        "b7ggxiPwdx2x4dMHQXIEKhaL6iewleioWI8H8mG928sRZLhoRq4GG9xQydGbI2pvpj1k4dlwOxhlcDL+NQrObQ==",
        "jsPsych's plugin survey-html-form 2.1.0",
    ),
    Asset(
        "html-button-response.js", "@jspsych/plugin-html-button-response", "2.1.0", _BUILT,
        "MAz+Bi7B0ucyyyFZmTVOvO4lF0NMUqlxI92wSFKm4PwLRlNL95cdw7hdwBiQy5b6N1sqvrzxMhMl/ZG08/tNYw==",
        "jsPsych's plugin html-button-response 2.1.0",
    ),
)  # fmt: skip
"""What the pages load, in this order. Nothing of it comes with saywhy."""

_LARGEST = 2_000_000  # bytes: the largest of them has 80,000; what is larger is another file
_SECONDS = 300  # for npm: it fetches half a megabyte, but may wait for a slow registry first


def fetch_assets(study_folder: str | os.PathLike[str], *, source: str | os.PathLike[str] | None = None) -> tuple[Path, ...]:
    """Put what the pages load into the study's `assets/`, after holding every file against its SHA-512.

    Args:
        study_folder: the study's folder.
        source: a folder that holds the files: a `node_modules`, a folder with one, or the `assets/` of another study. Without
            it, npm fetches the packages of exactly these versions into a temporary folder; no script of theirs is run.

    Returns:
        the files.

    Raises:
        UsageError: npm is missing or fails, a file is missing, or a file is not the one that was expected.
    """
    place = Path(study_folder)
    if not place.is_dir():
        raise UsageError(f"{place} is no folder; make a study with saywhy study build first")
    if source is not None:
        return _copied(place / FOLDER, Path(source))
    with tempfile.TemporaryDirectory(prefix="saywhy-npm-") as temporary:
        _install(Path(temporary))
        return _copied(place / FOLDER, Path(temporary))


def read_assets(study_folder: str | os.PathLike[str]) -> dict[str, bytes]:
    """What the pages load, by name, out of the study's `assets/`, each file held against its SHA-512.

    Raises:
        UsageError: a file is missing, or is not the one that was expected.
    """
    place = Path(study_folder) / FOLDER
    what = f"fetch the files with saywhy study assets {study_folder}, or copy them with --from FOLDER"
    return {asset.name: _checked(place / asset.name, asset, what) for asset in ASSETS}


def _copied(target: Path, source: Path) -> tuple[Path, ...]:
    found: dict[str, bytes] = {}
    for asset in ASSETS:  # all are checked before the first is written
        places = (
            source / asset.package / asset.path,
            source / "node_modules" / asset.package / asset.path,
            source / asset.name,
        )
        path = next((one for one in places if one.is_file()), None)
        if path is None:
            raise UsageError(
                f"{source} holds no {asset.package}/{asset.path}; name a node_modules folder with "
                f"{asset.package}@{asset.version} in it, such as npm install {asset.package}@{asset.version} makes"
            )
        found[asset.name] = _checked(path, asset, f"{asset.package}@{asset.version} is needed")
    target.mkdir(exist_ok=True)
    for name, content in found.items():
        with atomic_open(target / name, "wb") as stream:
            stream.write(content)
    return tuple(target / name for name in found)


def _checked(path: Path, asset: Asset, advice: str) -> bytes:
    if not path.is_file():
        raise UsageError(f"{path} is missing: the study's pages load {asset.title}; {advice}")
    if path.stat().st_size <= _LARGEST:
        content = read_bytes(path)
        if base64.b64encode(hashlib.sha512(content).digest()).decode() == asset.sha512:
            return content
    raise UsageError(f"{path} is not {asset.title} as its makers published it (its SHA-512 differs); {advice}")


def _install(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise UsageError(
            "npm is not installed, which fetches jsPsych; install Node.js, or copy a node_modules folder from another machine "
            "and name it with --from"
        )
    packages = [f"{asset.package}@{asset.version}" for asset in ASSETS]
    command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--prefix", str(folder), *packages]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise UsageError(
            f"npm did not fetch jsPsych within {_SECONDS} seconds; try again, or name a folder with --from"
        ) from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        said = next((line for line in lines if "code E" not in line), "no reason given").removeprefix("npm error ")
        raise UsageError(f"npm could not fetch jsPsych ({said}); try again, or name a folder that has it with --from")
