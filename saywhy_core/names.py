"""Names: class names read from a file, the class that a name means, and file names made from record ids."""

from __future__ import annotations

import difflib
import hashlib
import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import check_ceiling
from saywhy_core.reading.documents import parse_json, read_text

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

REPEATS_FROM = 500
"""A list of at least this many names may name two classes alike: ImageNet's 1,000 names hold "crane" and "maillot" twice.
In a shorter list a repeated name is a slip."""

STEM_LENGTH = 80
"""File systems allow 255 bytes for a name; 80 leaves room for the digest, the suffix and a temporary file's ending."""

_JSON_START = re.compile(r'\s*[\[{]\s*["\]}]')
_DIGITS = 18  # of a class number; Python refuses to read numbers of thousands
_JOINTS = re.compile(r"[\s_\-\u2010-\u2015]+")  # what joins the words of a name: spaces, underscores, hyphens and dashes
_NEAR = 0.75  # of difflib's ratio: a slip or two in a word, and not another word
_LONGEST = 200  # characters that are compared for nearness, which takes time in proportion to their square
_SHOWN = 12  # names listed in an error; more would bury the sentence


def read_class_names(path: str | os.PathLike[str]) -> list[str]:
    """Read the names of classes, in the order of their numbers.

    The file is UTF-8, with or without a byte order mark, and holds one of these:

    - one name per line; blank lines and spaces around a name don't count;
    - a JSON list of names;
    - a JSON object from class number to name, with the numbers 0, 1, 2 and so on, each once.

    A file whose name ends in `.json`, or whose text begins like a JSON list or object of texts, is read as JSON.

    Raises:
        UsageError: the file can't be read or holds something else, a name is empty, or a list of fewer than 500 names holds
            a name twice.
    """
    file = Path(path)
    text = read_text(file, holds="class names: one per line, or a JSON list")
    if file.suffix.lower() == ".json" or _JSON_START.match(text):
        places, names = "name", _from_json(file, text)
        numbers = list(range(1, len(names) + 1))
    else:
        places = "line"
        lines = _filled_lines(text)
        numbers, names = [number for number, _ in lines], [line for _, line in lines]
    if not names:
        raise UsageError(f"{file} holds no class names; write one per line, or a JSON list")
    check_ceiling("name", max(map(len, names)), file)
    _refuse_repeats(names, numbers, places, str(file))
    return names


def check_class_names(names: Sequence[object], where: str) -> list[str]:
    """Class names that a caller gave as a list, held to the same rules as names in a file; spaces around a name are removed.

    Args:
        names: the names, in the order of their numbers.
        where: what the list comes from, for the error.

    Raises:
        UsageError: there are none, one is no text or empty, or a list of fewer than 500 names holds a name twice.
    """
    if not names:
        raise UsageError(f"{where}: the list of class names is empty")
    checked = _stripped(names, where)
    _refuse_repeats(checked, range(1, len(checked) + 1), "name", where)
    return checked


def read_lines(path: str | os.PathLike[str]) -> list[tuple[int, str]]:
    """Read the lines of a UTF-8 text file that hold something, each with its number, counted from 1.

    Spaces around a line and a byte order mark are removed.

    Raises:
        UsageError: the file can't be read.
    """
    return _filled_lines(read_text(path, holds="one entry per line"))


def class_index(text: str, class_names: Sequence[str] | None, where: str) -> int:
    """The number of the class that has this name or, where no class has it, this number.

    Args:
        text: a name, or a number counted from 0.
        class_names: the names, where they are known.
        where: what the text comes from, for the error: an option, or a file and line.

    Raises:
        UsageError: there is no such class, several have this name, or a name is given and no names are known.
    """
    if class_names is not None and text in class_names:
        found = [index for index, name in enumerate(class_names) if name == text]
        if len(found) > 1:
            raise UsageError(f"{where}: the classes {' and '.join(map(str, found))} are both named {text!r}; give the number")
        return found[0]
    if class_names is None:  # as sentences call a class without a name
        text = text.removeprefix("class ")
    number = int(text) if text.isdecimal() and len(text) <= _DIGITS else None
    if number is not None and (class_names is None or number < len(class_names)):
        return number
    if class_names is None:
        if text.startswith("-") and text[1:].isdecimal():
            raise UsageError(f"{where}: there is no class {text}; classes have numbers from 0 on")
        raise UsageError(
            f"{where}: {text!r} is no class number, and the class names are not known; give a number, or give the names with "
            "--classes FILE"
        )
    shown = ", ".join(repr(name) for name in class_names[:_SHOWN]) + (", ..." if len(class_names) > _SHOWN else "")
    raise UsageError(f"{where}: there is no class {text!r}; there are {shown}")


def folded(name: str) -> str:
    """A name as it is compared: whatever its case, its Unicode form, and whether spaces, underscores or hyphens join its words.

    "Yorkshire_Terrier", "yorkshire-terrier" and "Yorkshire terrier" are folded alike.
    """
    return " ".join(_JOINTS.sub(" ", unicodedata.normalize("NFKC", name)).casefold().split())


class NameTable:
    """Finds classes by name. The exact spelling counts first, then the folded one.

    Args:
        class_names: the K classes, in the order of their numbers.
    """

    def __init__(self, class_names: Sequence[str]) -> None:
        self.class_names = tuple(class_names)
        self._exact: dict[str, list[int]] = {}
        self._folded: dict[str, list[str]] = {}
        for number, name in enumerate(self.class_names):
            self._exact.setdefault(name, []).append(number)
        for name in self._exact:
            self._folded.setdefault(folded(name), []).append(name)

    def find(self, name: str) -> int | None:
        """The number of the class with this name; None where no class has it.

        Raises:
            UsageError: as `spelling`, or several classes of the list have this very name.
        """
        spelled = self.spelling(name)
        if spelled is None:
            return None
        numbers = self._exact[spelled]
        if len(numbers) > 1:
            raise UsageError(
                f"the classes {' and '.join(map(str, numbers[:2]))} are both named {spelled!r:.200}, and nobody can know which "
                f"is meant; give each a name of its own in the list of classes"
            )
        return numbers[0]

    def spelling(self, name: str) -> str | None:
        """The name as the list spells it; None where no class has it.

        Raises:
            UsageError: it is the exact name of none, and several names are folded like it.
        """
        if name in self._exact:
            return name
        alike = self._folded.get(folded(name), [])
        if len(alike) > 1:
            raise UsageError(f"{name!r:.200} may be the class {alike[0]!r} or {alike[1]!r}; write it exactly as one of them")
        return alike[0] if alike else None

    def nearest(self, name: str) -> str | None:
        """The name of the class that is spelled most like this name; None where none is near."""
        found = difflib.get_close_matches(folded(name)[:_LONGEST], list(self._folded), n=1, cutoff=_NEAR)
        return self._folded[found[0]][0] if found else None


def safe_file_name(name: str, suffix: str = "", taken: set[str] | None = None) -> str:
    """A file name made from a record's id that every common file system takes.

    ASCII letters, digits and the characters `-_.` stay, up to 80 of them. A digest of the id is added where anything had to be
    changed, and where another id has the name already (names that differ only in case count as the same: Windows and macOS
    do not tell them apart). The same ids in the same order always get the same names.

    Args:
        name: the id; any text.
        suffix: what the file name ends in, such as `.png`.
        taken: the names given so far in this folder, in lower case; the new one is added.
    """
    from pathvalidate import sanitize_filename

    stem = re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII).lstrip(".").rstrip("._")[:STEM_LENGTH]
    # pathvalidate knows what Windows reserves (CON, nul.txt) and that it drops a dot at the end
    stem = sanitize_filename(stem, platform="universal").strip("-")
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    given = set() if taken is None else taken
    made = f"{stem}{suffix}"
    number = 1
    while (number == 1 and (stem != name or not stem)) or made.casefold() in given:
        made = f"{stem or 'map'}-{digest}{'' if number == 1 else f'-{number}'}{suffix}"
        number += 1
    given.add(made.casefold())
    return made


def _filled_lines(text: str) -> list[tuple[int, str]]:
    return [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _refuse_repeats(names: Sequence[str], numbers: Sequence[int], places: str, where: str) -> None:
    if len(names) >= REPEATS_FROM:
        return
    first: dict[str, int] = {}
    for number, name in zip(numbers, names, strict=True):
        if name in first:
            raise UsageError(
                f"{where}, {places} {number}: the class {name!r} was named before, in {places} {first[name]}; give each "
                "class a name of its own"
            )
        first[name] = number


def _stripped(names: Sequence[object], where: str) -> list[str]:
    found = []
    for number, name in enumerate(names, 1):
        if not isinstance(name, str) or not name.strip():
            raise UsageError(f"{where}, name {number}: a class name must be a text that is not empty, not {name!r:.60}")
        found.append(name.strip())
    return found


def _from_json(file: Path, text: str) -> list[str]:
    content = parse_json(text, str(file), unique=True)
    if isinstance(content, dict):
        if set(content) != {str(index) for index in range(len(content))}:
            raise UsageError(f"{file}: an object of class names must have the keys 0, 1, 2 and so on, without a gap")
        content = [content[str(index)] for index in range(len(content))]
    if not isinstance(content, list):
        raise UsageError(f"{file} must hold a JSON list of class names, or an object from class number to name")
    return _stripped(content, str(file))
