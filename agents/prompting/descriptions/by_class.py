"""Files of descriptions by class, in the form of CuPL, DCLIP and AWT, or of the prompts that saywhy writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agents.encoders.seen import SeenImages
from agents.prompting.descriptions.pairs import is_data_sets, is_pairs, parse_pairs, read_json
from saywhy_core.disk.files import atomic_open
from saywhy_core.errors import Problem, UsageError
from saywhy_core.names import NameTable
from saywhy_core.reading.ceilings import check_ceiling

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from agents.prompting.descriptions.pairs import PairDescriptions

SEARCHED = frozenset({"shots", "fitness", "start_fitness"})
"""Keys that only the prompt file of a search has, those of earlier versions included."""


class ClassDescriptions(dict[str, list[str]]):
    """Descriptions by class name, in the order of the class list; a class without descriptions has an empty list.

    Attributes:
        pairs: the pair descriptions from which they come, if they do; None otherwise.
        problems: what of the file could not be used, and names of the file that are nearly those of a class without any.
        searched: whether the file says that they were chosen with labelled images.
        seen: what recognises these images; None where there are none, or the file does not say.
    """

    def __init__(
        self,
        by_class: Mapping[str, Sequence[str]],
        problems: Sequence[Problem] = (),
        pairs: PairDescriptions | None = None,
        *,
        searched: bool = False,
        seen: SeenImages | None = None,
    ) -> None:
        super().__init__({name: list(texts) for name, texts in by_class.items()})
        self.problems = tuple(problems)
        self.pairs = pairs
        self.searched, self.seen = searched, seen

    @property
    def missing(self) -> tuple[str, ...]:
        """The classes without descriptions."""
        return tuple(name for name, texts in self.items() if not texts)


def read_descriptions(path: str | os.PathLike[str], class_names: Sequence[str]) -> ClassDescriptions:
    """Read descriptions by class from JSON that maps classes to descriptions, or from a FuDD pair file.

    The object may stand under the key `prompts`, as in saywhy's prompt file, or under the name of one data set, as in the
    template files of CLIP_benchmark. Names in the file are found as `NameTable` finds them, whatever their order, case and
    joints; a description may be a whole caption or a fragment ("rounder ears").

    Returns:
        A list of descriptions for each class name, empty where the file has none. A description that stands there twice
        counts twice in the mean of its class. Names of the file that the list lacks are left out; where one is near to a
        class without descriptions, `problems` says so.

    Raises:
        UsageError: no such file, not of either form, pairs of another class list, names that may be several classes, or none
            of its classes is in `class_names`.
    """
    content = read_json(path, "descriptions by class, or FuDD's pairs")
    by_name = _by_name(content, path)
    if by_name is None:
        pairs = parse_pairs(content, str(path)).arranged(class_names, str(path))
        return ClassDescriptions(pairs.by_class(class_names), pairs.problems, pairs)
    for name, texts in by_name.items():
        check_ceiling("tokens", len(texts), f"{path}: {name!r:.80}", "descriptions")
        check_ceiling("text", max(map(len, texts), default=0), f"{path}: {name!r:.80}")
    table = NameTable(class_names)
    library: dict[str, list[str]] = {name: [] for name in class_names}
    source: dict[str, str] = {}
    others: list[str] = []
    for name, texts in by_name.items():
        ours = table.spelling(name)
        if ours is None:
            others.append(name)
            continue
        if ours in source and source[ours] == ours:
            continue  # the exact spelling counts
        if ours in source and name != ours:
            raise UsageError(f"{path}: {source[ours]!r} and {name!r} may both be the class {ours!r}; keep one")
        source[ours] = name
        library[ours] = [text.strip() for text in texts if text.strip()]
    if not any(library.values()):
        raise UsageError(
            f"{path} describes none of the {len(class_names)} classes; it speaks of {next(iter(by_name), 'nothing')!r}"
        )
    left = NameTable([name for name, texts in library.items() if not texts])
    near = {name: left.nearest(name) for name in others} if left.class_names else {}
    problems = [
        Problem(f"{path}", f"{name!r:.80} is in no class list, and {ours!r:.80} has no descriptions; is it meant? Rename one")
        for name, ours in near.items()
        if ours is not None
    ]
    searched, seen = _shots(content, str(path))
    return ClassDescriptions(library, problems, searched=searched, seen=seen)


def write_cupl(prompts: Mapping[str, Sequence[str]], path: str | os.PathLike[str], *, data_set: str | None = None) -> None:
    """Write prompts by class in the form of CuPL (Pratt et al., ICCV 2023), `{class: [prompt, ...]}`, whole or not at all.

    Args:
        prompts: class name -> its prompts.
        path: the file (JSON).
        data_set: a name under which the object is put, `{data_set: {class: [prompt, ...]}}`, as CLIP_benchmark's
            `--custom_template_file` takes it; its class names must be spelled as that data set spells them.

    Raises:
        UsageError: a class has no prompt, which those who read the file could not use.
    """
    empty = next((name for name, texts in prompts.items() if not texts), None)
    if empty is not None or not prompts:
        raise UsageError(f"the class {empty!r} has no prompt; give it one" if prompts else "there are no prompts to write")
    by_class = {name: list(texts) for name, texts in prompts.items()}
    with atomic_open(path) as stream:
        json.dump(by_class if data_set is None else {data_set: by_class}, stream, ensure_ascii=False, indent=1)
        stream.write("\n")


def _shots(content: Any, name: str) -> tuple[bool, SeenImages | None]:
    """Whether prompts were chosen with labelled images, and what recognises these."""
    if not isinstance(content, Mapping) or not isinstance(content.get("prompts"), Mapping) or SEARCHED.isdisjoint(content):
        return False, None
    told = content.get("shots")
    return True, None if told is None else SeenImages.from_dict(told, name)


def _by_name(content: Any, path: str | os.PathLike[str]) -> dict[str, list[str]] | None:
    """The object of class name to descriptions that a file holds; None where it holds pairs."""
    if isinstance(content, Mapping) and isinstance(content.get("prompts"), Mapping):  # no pair is called so
        content = content["prompts"]
    elif isinstance(content, Mapping) and is_data_sets(content):
        if len(content) > 1:
            names = ", ".join(repr(name) for name in list(content)[:3])
            raise UsageError(f"{path} holds prompts of {len(content)} data sets ({names}); leave one, which is yours")
        content = next(iter(content.values()))
    elif is_pairs(content):
        return None
    if not isinstance(content, Mapping) or not all(
        isinstance(texts, list) and all(isinstance(text, str) for text in texts) for texts in content.values()
    ):
        raise UsageError(f"{path}: expected a JSON object of class name to a list of descriptions")
    return dict(content)
