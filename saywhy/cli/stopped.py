"""What an interrupted command leaves, so that only what is there is said to be kept."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saywhy_core.disk.destinations import beside, is_stream
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

GOES_ON = {
    "run": "the finished images in DIR are kept, and the same command goes on with the others",
    "proving": "the finished images and proofs in DIR are kept, and the same command goes on with the others",
    "attack": "the results in OUT are kept, and the same command goes on with the other images",
    "describe": "the descriptions so far are kept in FILE, and the same command goes on with the other pairs",
    "improve": "what was searched is kept in FILE, and the same command goes on with it",
    "serve": "every acknowledged answer is kept, and the same command goes on",
    "simulate": "no answer was written; the model's replies are kept in FILE, and the same command asks only for the others",
    "check": "the model's replies are kept in FILE, and the same command asks only for the others",
    "picture": "the pictures in OUT are kept; the same command draws all again",
    "verbalize": "the finished texts are kept in FILE, and the same command goes on with the other maps",
    "attribute": "the finished maps are kept beside OUT, and the same command goes on with the other inputs",
}


def what_is_left(command: str, options: Mapping[str, Any]) -> str:
    """What an interrupted command leaves: only what is there is said to be kept, and in which file."""
    if command == "check":
        return _of_a_check(options)
    asks = command != "verbalize" or (options["llm"] is not None and options["out"] != "-")
    asks = asks and (command != "simulate" or options["llm"] is not None)
    asks = asks and (command != "attribute" or not is_stream(options["out"]))
    place = {"run": "directory", "serve": "study"}.get(command, "out")
    there = (
        command in GOES_ON and asks and _is_kept(command, _replies(options) if command == "simulate" else Path(options[place]))
    )
    nothing = {
        "run": "no image was begun",
        "serve": "nobody has taken part",
        "simulate": "no answer was written",
        "attack": "no result was written to OUT",
        "picture": "no picture was written to OUT",
    }
    if not there:
        return nothing.get(command, "no output file was written")
    if command == "run":
        return GOES_ON["proving" if options.get("prove") is not None else command].replace("DIR", str(options["directory"]))
    return GOES_ON[command].replace("FILE", str(_file(command, options)))


def _file(command: str, options: Mapping[str, Any]) -> Path:
    """The file that keeps what an interrupted command has done."""
    match command:
        case "simulate":
            return _replies(options)
        case "improve":
            return beside(options["out"], ".state")
        case "describe":
            journal = beside(options["out"], ".journal")
            return journal if journal.is_file() else Path(options["out"])
        case "verbalize":
            return beside(options["out"], ".part")
    return Path(options.get("out", "."))


def _of_a_check(options: Mapping[str, Any]) -> str:
    if options.get("llm") is None:
        return "nothing was checked to its end"
    cache = options.get("cache") or options.get("replies")
    if cache is None:
        return "no reply of the model is kept; --cache FILE would keep them, so that the same command asks only for the others"
    return GOES_ON["check"].replace("FILE", str(cache)) if Path(cache).is_file() else "no reply of the model has come yet"


def _replies(options: Mapping[str, Any]) -> Path:
    """Where a dry run keeps the replies of a language model."""
    if options["cache"] is not None:
        return Path(options["cache"])
    return beside((options["out"] or Path(options["directory"]) / "dry-run") / "answers.csv", ".replies.sqlite")


def _is_kept(command: str, out: Path) -> bool:
    try:
        match command:
            case "attack":
                return any(next(out.glob(f"*/{name}"), None) for name in ("result.json", "answers.bin"))
            case "run":
                return any(next(out.glob(f"{folder}/*"), None) for folder in ("images", "answers"))
            case "simulate":
                return out.is_file()
            case "serve":
                return (out / "answers.db").is_file()
            case "picture":
                return out.is_dir() and any(not one.name.startswith(".") for one in out.iterdir())
            case "improve":
                return _has_lines(beside(out, ".state"), 2)
            case "describe":
                return out.is_file() or _has_lines(beside(out, ".journal"), 2)
        return _has_lines(beside(out, ".part"), 2)
    except (OSError, ValueError, UsageError):  # it can't be seen, so nothing is promised
        return False


def _has_lines(path: Path, count: int) -> bool:
    """Whether a journal holds so many lines; the first is its header."""
    if not path.is_file():  # a pipe would keep the process waiting
        return False
    with path.open("rb") as stream:
        return sum(1 for _ in islice(stream, count)) == count
