"""What every subcommand does before and around its work: it looks at its output, and tells an interruption."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import typer
from typer.core import TyperCommand

from saywhy.cli.options.console import note
from saywhy.cli.options.files import Use, holding, types_in
from saywhy.cli.options.settings import NAME as SETTINGS
from saywhy.cli.options.settings import WRONG_WORDS, given_by_file, words_of
from saywhy.cli.spelling import spelling_of
from saywhy.cli.stopped import what_is_left
from saywhy_core.disk.databases import SIDES
from saywhy_core.disk.destinations import beside, destination, is_terminal_or_socket, place_beside
from saywhy_core.disk.files import check_is_no_database, protected_inputs
from saywhy_core.errors import UsageError, arguments_as
from saywhy_core.stopping import Stopped, exit_status, received, signals_wait

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

_ENDS_FOLDERS = tuple(filter(None, (os.sep, os.altsep)))
_KEPT_BESIDE = (".part", ".journal", ".state", ".lock", ".part.lock", ".journal.lock", ".state.lock")
_JOURNAL = b'{"journal": "'
_WHAT = {Use.FOLDER_WRITTEN: "a folder", Use.PLACE_WRITTEN: "a folder or a page"}
_BEFORE_A_FILE = re.compile(r"[:=]")


class ReaderGoneError(Exception):
    """Nobody reads the output any more; click itself would end the process with status 1 after a `BrokenPipeError`."""


@dataclass
class _End:
    """What there is to say where a run is stopped, and whether it was said: a second signal says nothing new."""

    left: Callable[[], str] = lambda: "nothing was done"
    status: int = 0


_end: ContextVar[_End] = ContextVar("saywhy_end", default=_End())  # noqa: B039 - `begin` gives each run its own


def begin() -> None:
    """A run of the command begins, in which nothing is done yet."""
    _end.set(_End())


def tell_stop(stop: KeyboardInterrupt) -> int:
    """Say what a run that was stopped leaves, once, however often it is stopped; return the exit status."""
    stop = received() or stop
    with signals_wait():
        end = _end.get()
        if not end.status:
            end.status = exit_status(stop)
            note(f"{str(stop) if isinstance(stop, Stopped) else 'interrupted'}: {end.left()}")
        return end.status


def status_after(status: int) -> int:
    """The exit status of a run that ended with `status`; where it was stopped, that of the first signal."""
    if status == exit_status(KeyboardInterrupt()):  # typer makes this of every signal that comes while it works itself
        return tell_stop(KeyboardInterrupt())
    return _end.get().status or status


class Command(TyperCommand):
    """A subcommand that refuses an output that is an input or can't be written, and says what an interruption leaves."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the options, those of the file that --settings names too. Of one that is given again the last value counts.

        Raises:
            UsageError: an option with two names is given twice. Its names look like two options, of which one would do nothing.
                Or the file of settings can't be used, or a name that is given can't be that of a file.
        """
        with _of(ctx):
            values, _, given = self.make_parser(ctx).parse_args(list(args))
        if values.get(SETTINGS) is not None:
            words = words_of(Path(values[SETTINGS]), self.params, given)
            ctx.meta[SETTINGS] = (values[SETTINGS], words)
            args = [*words, *args]
        for option in given:
            if given.count(option) > 1 and len(option.opts) > 1:
                raise UsageError(f"{'/'.join(option.opts)} is given {given.count(option)} times; give it once")
        with _of(ctx):
            texts, _, _ = self.make_parser(ctx).parse_args(list(args))
        with given_by_file(*ctx.meta.get(SETTINGS, (None, ()))):
            rest: list[str] = super().parse_args(ctx, args)
        options = {one.name for one in self.params if one.opts[0].startswith("-")}
        arguments: dict[str | None, str] = {
            one.name: str(one.metavar) for one in self.params if one.name not in options and one.metavar
        }
        check_names(get_type_hints(self.callback, include_extras=True), texts, options, arguments)
        return rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command.

        Raises:
            UsageError: an output is one of the inputs, lies in a folder that is read, is a folder in the place of a file, or
            can't be written.
            ReaderGoneError: the program that read the output has ended.
            typer.Exit: with status 130, where the command was interrupted from the keyboard, or 143 by SIGTERM.
        """
        _end.get().left = partial(what_is_left, str(ctx.info_name), ctx.params)
        _check_working_folder()
        read, written = files_of(get_type_hints(self.callback, include_extras=True), ctx.params)
        check_outputs(read, written, self.params)
        try:
            with (
                arguments_as(spelling_of(self.params)),
                protected_inputs(one.path for one in read),
                holding(),
                given_by_file(*ctx.meta.get(SETTINGS, (None, ()))),
            ):
                return super().invoke(ctx)
        except BrokenPipeError as error:
            raise ReaderGoneError from error
        except KeyboardInterrupt as stop:
            raise typer.Exit(tell_stop(stop)) from None


@contextmanager
def _of(ctx: Any) -> Iterator[None]:
    """Say of an error in the words of the command line which command they are of."""
    try:
        yield
    except WRONG_WORDS as error:
        error.ctx = ctx  # type: ignore[attr-defined]
        raise


def _bare(metavar: str) -> str:
    """IMAGES for [IMAGES]..., as an argument is called in a sentence."""
    return metavar.removesuffix("...").strip("[]")


def _output(file: NamedFile, parameters: Sequence[Any]) -> str:
    """A file to write, as the help names it: DIR audit for an argument, --out a.png for an option."""
    parameter = next((one for one in parameters if one.name == file.name), None)
    if parameter is not None and not parameter.opts[0].startswith("-"):
        return f"{_bare(parameter.metavar or file.name.upper())} {file.path}"
    return f"--{file.name} {file.path}"


def _named(file: NamedFile, parameters: Sequence[Any]) -> str:
    """A file as the help names it: MAPS maps.jsonl for an argument, --image a.png for an option."""
    parameter = next((one for one in parameters if one.name == file.name), None)
    option = next((name for name in getattr(parameter, "opts", ()) if name.startswith("--")), None)
    called = option or getattr(parameter, "metavar", None) or file.name
    return f"{called} {file.path}"


@dataclass(frozen=True)
class NamedFile:
    """A path on the command line.

    Attributes:
        name: the parameter that names it, such as "out".
        path: the path.
        use: what the command does with it.
    """

    name: str
    path: Path
    use: Use = Use.READ


def files_of(annotations: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[list[NamedFile], list[NamedFile]]:
    """What a command reads and what it writes, by the annotations of its parameters (`saywhy.cli.options.files.Use`).

    A text that names a file, also behind a colon or an equals sign as in "onnx:net.onnx", is read, too, where there is one.

    Args:
        annotations: those of the command's function, by name.
        values: the values of the parameters, by name.
    """
    read: list[NamedFile] = []
    written: list[NamedFile] = []
    for name, value in values.items():
        use = _use_of(annotations.get(name))
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if not isinstance(one, (str, Path)) or str(one) == "-":
                continue
            if use is not None and use is not Use.READ:
                written.append(NamedFile(name, Path(one), use))
            elif use is Use.READ or isinstance(one, Path):
                read.append(NamedFile(name, Path(one)))
            else:
                tails = (one[match.end() :] for match in _BEFORE_A_FILE.finditer(one))
                read += [NamedFile(name, Path(tail)) for tail in (one, *tails) if _is_file(tail)]
    return read, written


def check_names(
    annotations: Mapping[str, Any],
    texts: Mapping[str, Any],
    options: Collection[str | None],
    arguments: Mapping[str | None, str] | None = None,
) -> None:
    """See whether the names of files on the command line, as they were written there, can be names of files.

    Args:
        annotations: those of the command's function, by name.
        texts: the words of the command line that each parameter got, by name.
        options: the names of those parameters that are options; the others are arguments.
        arguments: what the help calls arguments, by name.

    Raises:
        UsageError: one is empty; one of a file to write ends in "/", as those of folders do; or it is "-" where that does not
            stand for standard output.
    """
    for name, given in texts.items():
        hint = annotations.get(name)
        use = _use_of(hint) or (Use.READ if Path in types_in(hint) else None)
        for text in given if isinstance(given, (list, tuple)) else (given,):
            if use is None or not isinstance(text, str):
                continue
            spelled = f"--{name.replace('_', '-')}" if name in options else _bare((arguments or {}).get(name, name.upper()))
            named, what = f"{spelled} {text}", _WHAT.get(use, "a file")
            if not text:
                raise UsageError(f"{spelled} is an empty text; name {what}")
            if use in (Use.WRITTEN, Use.KEPT) and text.endswith(_ENDS_FOLDERS):
                raise UsageError(f"{named} names a folder, as what ends in {text[-1]} does; name a file")
            if use is Use.PLACE_WRITTEN and text.endswith(_ENDS_FOLDERS) and Path(text).suffix.lower() in (".html", ".htm"):
                raise UsageError(f"{named} names a folder by its last letter and a page by its ending; name one of them")
            if text == "-" and use is not Use.READ and Path in types_in(hint):
                stream = ", such as /dev/stdout for standard output" if use is Use.WRITTEN else ""
                raise UsageError(f"{named} names nothing that this command can write; name {what}{stream}")


def _use_of(hint: Any) -> Use | None:
    return next((one for one in getattr(hint, "__metadata__", ()) if isinstance(one, Use)), None)


def _check_working_folder() -> None:
    try:
        Path.cwd()
    except OSError:
        raise UsageError("the folder that the command was started in is gone; change to another one") from None


def check_outputs(read: Sequence[NamedFile], written: Sequence[NamedFile], parameters: Sequence[Any] = ()) -> None:
    """Find out before any work, and without making anything, whether outputs can be written, and are none of the inputs.

    Raises:
        UsageError: they can't, one is an input (also through a link), lies in a folder that is read, or is another output.
    """
    for number, one in enumerate(written):
        for other in (*read, *written[:number]):
            if _same(one.path, other.path):
                raise UsageError(
                    f"{_output(one, parameters)} is the same file as {_named(other, parameters)}; name another file to write"
                )
        for other in written:
            if one.use is Use.WRITTEN and any(_same(beside(one.path, ending), other.path) for ending in _KEPT_BESIDE):
                raise UsageError(
                    f"{_output(other, parameters)} is the name of a file in which this command keeps what becomes of "
                    f"{_output(one, parameters)}; name another file"
                )
        for other in (*read, *written) if one.use is Use.KEPT else ():
            if any(_same(place_beside(one.path, ending), other.path) for ending in SIDES):
                raise UsageError(
                    f"{_output(one, parameters)} keeps a part of itself in {other.path}, which is {_named(other, parameters)}; "
                    "name another file"
                )
        for other in read:
            if other.path.is_dir() and _inside(one.path, other.path):
                raise UsageError(
                    f"{_output(one, parameters)} lies in {_named(other, parameters)}, a folder that is read; "
                    "name a place outside it"
                )
        _check_writable(one, _output(one, parameters))


def _check_writable(one: NamedFile, named: str) -> None:
    """See whether an output can be written. A pipe or a device is written through where one file is written, not a folder."""
    folder = one.use is Use.FOLDER_WRITTEN or (one.use is Use.PLACE_WRITTEN and one.path.is_dir())
    if one.path.is_dir() and not folder:
        raise UsageError(f"{named} is a folder; name a file")
    if folder and os.path.lexists(one.path) and not one.path.is_dir():
        what = "a file" if one.path.is_file() else "no folder"
        raise UsageError(f"{named} is {what}; name a folder")
    place = one.path.absolute() if one.path.is_dir() else _file_place(named, one.path)
    if place is None:
        return
    if place.parts[1:2] in (("proc",), ("sys",)):
        raise UsageError(f"{named} can't be written to: {place} belongs to the system; name a place on a disk")
    for start in (one.path.absolute(), place):
        above = start if start.is_dir() else next(above for above in start.parents if os.path.lexists(above))
        if not above.is_dir():
            raise UsageError(f"{named} can't be written to: {above} is not a folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise UsageError(f"{named} can't be written to: {_why_not(above)} {above}")
    if place.is_file() and not os.access(place, os.W_OK):
        raise UsageError(f"{named} is write-protected; allow writing to it, or name another file")
    if one.use in (Use.WRITTEN, Use.PLACE_WRITTEN) and place.is_file():
        check_is_no_database(place)
        with suppress(OSError), place.open("rb") as stream:
            begun = stream.read(len(_JOURNAL)) == _JOURNAL
        if begun:
            raise UsageError(f"{named} keeps the work of a run that was stopped; name another file, or delete it")


def _why_not(folder: Path) -> str:
    read_only = hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY
    return "there is a read-only file system at" if read_only else "permission denied in"


def _file_place(named: str, path: Path) -> Path | None:
    """Where a path that is no folder leads to; None where that is a stream, which then can be written to."""
    where = destination(path)
    if where.descriptor is None and where.streamed and not os.access(where.place, os.W_OK):
        raise UsageError(f"{named} can't be written to: permission denied")
    return None if where.streamed else where.place


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a path, or with a null character
        return False


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other) and not is_terminal_or_socket(one)
    except OSError:  # one of them does not exist
        return os.path.realpath(one) == os.path.realpath(other)  # which can't fail on links in a circle
    except ValueError:  # a null character, which is told where the path is used
        return False


def _inside(path: Path, folder: Path) -> bool:
    """Whether a path, which need not exist, leads into a folder."""
    place = Path(os.path.realpath(path))
    above = [place, *place.parents]
    return any(place.exists() and place.samefile(folder) for place in above)
