"""jsPsych in a study's folder: only the bytes that its makers published."""

import base64
import hashlib
import json

import pytest

from evals.study import open_study
from evals.study.pages import ASSETS, fetch_assets, static_files
from saywhy_core.errors import UsageError


def test_the_versions_are_those_that_the_hashes_are_of():
    assert {asset.package: asset.version for asset in ASSETS}["jspsych"] == "8.3.0"
    for asset in ASSETS:
        assert len(base64.b64decode(asset.sha512)) == 64


def test_a_folder_without_jspsych_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"holds no jspsych/dist/.*npm install jspsych@8.3.0"):
        fetch_assets(tmp_path, source=tmp_path)
    assert not (tmp_path / "assets").exists()


def test_another_file_of_that_name_is_refused_and_nothing_is_written(tmp_path):
    for asset in ASSETS:
        place = tmp_path / "node_modules" / asset.package / asset.path
        place.parent.mkdir(parents=True)
        place.write_text("alert(1)")
    with pytest.raises(UsageError, match=r"is not jsPsych 8\.3\.0 as its makers published it"):
        fetch_assets(tmp_path, source=tmp_path)
    assert not (tmp_path / "assets").exists()


def test_without_npm_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"npm is not installed.*--from"):
        fetch_assets(tmp_path)


def test_what_npm_says_is_told(tmp_path, monkeypatch):
    tool = tmp_path / "bin" / "npm"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 'npm error code E404' >&2\necho 'npm error 404 Not Found - GET jspsych' >&2\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    with pytest.raises(UsageError, match=r"npm could not fetch jsPsych \(404 Not Found"):
        fetch_assets(tmp_path)


@pytest.mark.long
def test_npm_brings_exactly_these_files_and_runs_nothing(tmp_path, monkeypatch, npm_files):
    """A stand-in for the registry: npm's part is played by a script that copies what npm had fetched."""
    tool = tmp_path / "bin" / "npm"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\ncp -r {npm_files} "$(pwd)/node_modules"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    files = fetch_assets(tmp_path)
    asked = (tmp_path / "asked").read_text().split()
    assert "--ignore-scripts" in asked
    assert {f"{asset.package}@{asset.version}" for asset in ASSETS} <= set(asked)
    for path, asset in zip(files, ASSETS, strict=True):
        assert base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode() == asset.sha512


@pytest.mark.long
def test_a_file_that_was_changed_later_is_found_when_the_study_is_served(new_study):
    folder = new_study()
    (folder / "assets" / "jspsych.js").write_bytes((folder / "assets" / "jspsych.js").read_bytes() + b" ")
    with pytest.raises(UsageError, match=r"jspsych.js is not jsPsych 8.3.0.*saywhy study assets"):
        static_files(open_study(folder))
    (folder / "assets" / "jspsych.js").unlink()
    with pytest.raises(UsageError, match=r"jspsych.js is missing.*saywhy study assets"):
        static_files(open_study(folder))


@pytest.mark.long
def test_no_file_asks_for_anything_elsewhere(new_study):
    for name, content in static_files(open_study(new_study())).items():
        assert b"sourceMappingURL" not in content, name
        if name.startswith("study"):
            assert b"http" not in content.replace(b"https?:", b""), name


@pytest.mark.long
def test_the_command_copies_the_files(new_study, npm_files, capsys):
    from typer.testing import CliRunner

    from saywhy.cli.app import build

    folder = new_study()
    for path in (folder / "assets").iterdir():
        path.unlink()
    done = CliRunner().invoke(build(), ["study", "assets", str(folder), "--from", str(npm_files)])
    assert done.exit_code == 0, done.output
    assert len(list((folder / "assets").iterdir())) == len(ASSETS)
    assert json.dumps(sorted(path.name for path in (folder / "assets").iterdir())) == json.dumps(
        sorted(asset.name for asset in ASSETS)
    )
