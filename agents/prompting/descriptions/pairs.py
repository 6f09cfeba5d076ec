"""Files of descriptions of pairs of classes, in FuDD's form."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from agents.prompting.descriptions.order import Verdict, refuse_strange
from agents.prompting.descriptions.reading.meaning import distinct_captions
from saywhy_core.disk.files import atomic_open
from saywhy_core.errors import Problem, UsageError
from saywhy_core.names import NameTable
from saywhy_core.reading.ceilings import check_ceiling
from saywhy_core.reading.documents import Unreadable, read_entries
from saywhy_core.reading.records import in_words

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Sequence

FORMAT = 1


@dataclass(frozen=True)
class Provenance:
    """Where a description comes from: the model, the version of the prompt, and the time (ISO 8601, UTC)."""

    model: str
    prompt_version: str
    time: str


@dataclass(frozen=True)
class Contrast:
    """One attribute that tells two classes apart, with a caption for the lower-numbered class and one for the other."""

    attribute: str
    captions: tuple[str, str]
    provenance: Provenance | None = None

    def turned(self) -> Contrast:
        """The contrast of the same classes in the other order."""
        return Contrast(self.attribute, (self.captions[1], self.captions[0]), self.provenance)


class PairDescriptions(Mapping[tuple[int, int], tuple[Contrast, ...]]):
    """Maps pairs of class indices (i, j), i < j, to contrasts; (j, i) and "i_j" find the same entry.

    Args:
        entries: contrasts by pair, with captions in the order of the pair; an entry of (j, i) is kept as (i, j).
        names: the names of the classes by index, as far as they are known; files carry them, and they are checked.
        problems: records of a file that could not be used.

    Attributes:
        order: what the numbers of the classes rest on: "names" of the classes, "captions" that name them, or "unknown" where
            neither tells.
        unchecked: where the numbers rest on captions, the classes whose own captions do not name them.
    """

    def __init__(
        self,
        entries: Mapping[tuple[int, int], Iterable[Contrast]],
        names: Mapping[int, str] | None = None,
        problems: Sequence[Problem] = (),
    ) -> None:
        upright: dict[tuple[int, int], list[Contrast]] = {}
        for (first, second), contrasts in entries.items():
            if first == second or min(first, second) < 0:
                raise UsageError(f"({first}, {second}) is no pair of classes")
            into = upright.setdefault((min(first, second), max(first, second)), [])
            into.extend(contrast if first < second else contrast.turned() for contrast in contrasts)
        self._entries = {pair: tuple(upright[pair]) for pair in sorted(upright)}
        self.names = dict(names or {})
        self.problems = tuple(problems)
        self.order: Literal["names", "captions", "unknown"] = "names" if self.names else "unknown"
        self.unchecked: tuple[int, ...] = ()
        self._arranged_for: tuple[str, ...] | None = None

    def __getitem__(self, pair: tuple[int, int] | str) -> tuple[Contrast, ...]:
        first, second = map(int, pair.split("_")) if isinstance(pair, str) else pair
        return self._entries[(first, second) if first < second else (second, first)]

    def __contains__(self, pair: object) -> bool:
        try:
            self[pair]  # type: ignore[index]
        except (KeyError, TypeError, ValueError):
            return False
        return True

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"PairDescriptions({len(self)} pairs, {sum(map(len, self._entries.values()))} contrasts)"

    def by_class(self, class_names: Sequence[str], *, distinct: bool = False) -> dict[str, list[str]]:
        """The captions of every class, each once, in the order of the pairs: a library for `PromptOptimizer.fit`.

        Classes of the list with the same name share their captions.

        Args:
            class_names: the K classes.
            distinct: leave out captions that say the same as an earlier one of the class, too, by their words in any order.

        Raises:
            UsageError: as `arranged`.
        """
        arranged = self.arranged(class_names)
        captions: dict[str, dict[str, None]] = {name: {} for name in class_names}
        for pair, contrasts in arranged.items():
            for side in (0, 1):
                captions[class_names[pair[side]]].update((contrast.captions[side], None) for contrast in contrasts)
        return {name: distinct_captions([*texts], name) if distinct else [*texts] for name, texts in captions.items()}

    def arranged(self, class_names: Sequence[str], where: str = "the descriptions") -> PairDescriptions:
        """The pairs with the numbers that their classes have in `class_names`.

        Where the classes of the pairs have names, they are found by name (folded), in any order.
        Pairs with a class that the list lacks are left out, and told in `problems`. Where they have numbers only, as in FuDD's
        own files, the numbers are kept, and the captions are read: they must not be about other classes of the list. `order`
        says what the numbers rest on.

        Args:
            class_names: the K classes.
            where: what the pairs come from, for errors.

        Raises:
            UsageError: the captions are about other classes than the numbers say, the numbers go beyond the list, or no named
                class is in the list.
        """
        if self._arranged_for == tuple(class_names):
            return self
        if not self.names:
            verdict = self._checked_by_captions(class_names, where)
            made = self._with(self._entries, {}, self.problems, "captions" if verdict.confirmed else "unknown", class_names)
            made.unchecked = verdict.unclear
            return made
        table = NameTable(class_names)
        place = {
            number: there
            for number, name in self.names.items()
            if (there := _place(number, name, class_names, table)) is not None
        }
        exact = {number for number, there in place.items() if self.names[number] == class_names[there]}
        taken = {place[number] for number in exact}  # "Cat" is no name for "cat" where the file has both
        place = {number: there for number, there in place.items() if number in exact or there not in taken}
        claimed = Counter(place.values())
        entries: dict[tuple[int, int], list[Contrast]] = {}
        lost: Counter[tuple[str, str]] = Counter()
        for pair, contrasts in self._entries.items():
            why = next((why for number in pair if (why := self._why_not(number, place, claimed))), None)
            if why:
                lost[why] += 1
                continue
            first, second = (place[number] for number in pair)
            own = contrasts if first < second else [one.turned() for one in contrasts]
            entries.setdefault((min(first, second), max(first, second)), []).extend(own)
        if self._entries and not entries:
            name, why_not = next(iter(lost))
            near = table.nearest(name)
            meant = f"; is {near!r} meant?" if near and "not hold" in why_not else ""
            raise UsageError(f"{where} describes none of the {len(class_names)} classes; it speaks of {name!r}{meant}")
        problems = [
            Problem(where, f"{times} pair{'' if times == 1 else 's'} of {name!r} left out, {reason}")
            for (name, reason), times in lost.items()
        ]
        names = {number: class_names[number] for pair in entries for number in pair}
        return self._with(entries, names, [*self.problems, *problems], "names", class_names)

    def _why_not(self, number: int, place: Mapping[int, int], claimed: Mapping[int, int]) -> tuple[str, str] | None:
        """The name of a class that can't be found in a list, and why; None where it is found."""
        if number not in self.names:
            return f"class {number}", "which has no name, although other classes of the file have"
        if number not in place:
            return self.names[number], "which the class list does not hold"
        if claimed[place[number]] > 1:
            return self.names[number], "since several classes of the file are named so"
        return None

    def _with(
        self,
        entries: Mapping[tuple[int, int], Iterable[Contrast]],
        names: Mapping[int, str],
        problems: Sequence[Problem],
        order: Literal["names", "captions", "unknown"],
        class_names: Sequence[str],
    ) -> PairDescriptions:
        made = PairDescriptions(entries, names, problems)
        made.order = order
        made._arranged_for = tuple(class_names)
        return made

    def _checked_by_captions(self, class_names: Sequence[str], where: str) -> Verdict:
        highest = max((pair[1] for pair in self._entries), default=-1)
        if highest >= len(class_names):
            raise UsageError(
                f"{where} speaks of class {highest}, but the class list has {len(class_names)} names: it is of another list; "
                f"give the list that it was made for (--classes FILE)"
            )
        captions: dict[int, list[tuple[str, int | None]]] = {}
        for pair, contrasts in self._entries.items():
            for side, number in enumerate(pair):
                told = ((contrast.captions[side], pair[1 - side]) for contrast in contrasts)
                captions.setdefault(number, []).extend(told)
        return refuse_strange(captions, class_names, where)


def _place(number: int, name: str, class_names: Sequence[str], table: NameTable) -> int | None:
    """Where a list has the class of this number and name; None where it lacks the name.

    A list may name two classes alike, as ImageNet's names two "crane": there the number decides, where the name stands at it.
    """
    if number < len(class_names) and class_names[number] == name:
        return number
    return table.find(name)


def as_pairs(
    source: PairDescriptions | Mapping[Any, Any] | str | os.PathLike[str], class_names: Sequence[str] | None = None
) -> PairDescriptions:
    """Make pair descriptions of the content of a FuDD file or of its path; those that are made already are taken as they are.

    Where `class_names` are given, the pairs are `arranged` for them.
    """
    where = "the descriptions"
    if isinstance(source, PairDescriptions):
        found = source
    elif isinstance(source, Mapping):
        made = all(isinstance(key, tuple) for key in source)
        found = PairDescriptions(source) if made else parse_pairs(source, "the pairs")
    else:
        found, where = read_pairs(source), str(source)
    return found if class_names is None else found.arranged(class_names, where)


def read_json(path: str | os.PathLike[str], what: str) -> Any:
    """Read a JSON file; `what` says in errors what it should hold. An entry that can't be read is `Unreadable`.

    Raises:
        UsageError: it can't be read, or is no JSON.
    """
    return read_entries(path, holds=what)


def is_pairs(content: Any) -> bool:
    """Whether the content of a JSON file has the form of FuDD's pairs, and not that of descriptions by class."""
    if not isinstance(content, Mapping) or not content or is_data_sets(content):
        return False
    return all(isinstance(value, Mapping | Unreadable) for value in content.values())


def is_data_sets(content: Mapping[Any, Any]) -> bool:
    """Whether it has the form of CLIP_benchmark's templates: the name of a data set -> class name -> texts."""
    return bool(content) and all(
        isinstance(by_class, Mapping)
        and bool(by_class)
        and all(isinstance(texts, list) and all(isinstance(text, str) for text in texts) for texts in by_class.values())
        for by_class in content.values()
    )


def read_pairs(path: str | os.PathLike[str], class_names: Sequence[str] | None = None) -> PairDescriptions:
    """Read FuDD's pair file: `{"i_j": {"classes": [i, j], "prompt_pairs": [{"attr_type", "prompt_pair"}]}}`.

    Captions keep their case. An entry that cannot be used becomes one of the result's `problems`; the others are read.

    Args:
        path: the file.
        class_names: the K classes; where given, the pairs are `PairDescriptions.arranged` for them.

    Raises:
        UsageError: no such file, not JSON, no usable entry, or entries of another class list.
    """
    pairs = parse_pairs(read_json(path, "descriptions of pairs in FuDD's format"), str(path))
    return pairs if class_names is None else pairs.arranged(class_names, str(path))


def parse_pairs(content: Any, where: str) -> PairDescriptions:
    """As `read_pairs`, for the content of the file; `where` names the file in errors."""
    if not isinstance(content, Mapping):
        raise UsageError(f'{where}: expected a JSON object of "i_j" to descriptions, found {content!r:.60}')
    entries: dict[tuple[int, int], list[Contrast]] = {}
    names: dict[int, str] = {}
    problems: list[Problem] = []
    for key, entry in content.items():
        try:
            pair, contrasts, pair_names = _entry(key, entry)
        except KeyError as error:
            problems.append(Problem(f"{where}, pair {key!r:.80}", f"no {error}"))
            continue
        except UsageError as error:
            problems.append(Problem(f"{where}, pair {key!r:.80}", str(error)))
            continue
        entries.setdefault(pair, []).extend(contrasts)
        for number, name in pair_names.items():
            if names.setdefault(number, name) != name:
                raise UsageError(
                    f"{where} names its class {number} both {names[number]!r:.80} and {name!r:.80} (pair {key!r:.80}): it was "
                    f"put together from files for different lists; give one of them"
                )
    if content and not entries:
        raise UsageError(f"{where} holds no pair that can be used; first problem: {problems[0]}")
    return PairDescriptions(entries, names, problems)


def _entry(key: str, entry: Any) -> tuple[tuple[int, int], list[Contrast], dict[int, str]]:
    if isinstance(entry, Unreadable):
        raise UsageError(entry.what)
    try:
        return _parse_entry(key, entry)
    except (KeyError, UsageError):
        raise
    except (TypeError, ValueError, AttributeError, IndexError):  # whose words are about Python
        raise UsageError("it has not the form of FuDD's pairs") from None
    except Exception as error:
        raise UsageError(in_words(error)) from error


def _parse_entry(key: str, entry: Any) -> tuple[tuple[int, int], list[Contrast], dict[int, str]]:
    _must_be(entry, dict, "the entry", "a JSON object with classes and prompt_pairs")
    classes = _must_be(entry["classes"], list, "classes", "two class numbers")
    if len(classes) != 2 or any(isinstance(index, bool) or not isinstance(index, int) for index in classes):
        raise UsageError(f"classes must be two class numbers, not {classes!r}")
    first, second = classes
    if first == second or min(classes) < 0:
        raise UsageError(f"classes {classes!r} are no pair")
    if {str(first), str(second)} != set(str(key).split("_")):
        raise UsageError(f"the key does not fit its classes {classes!r}")
    source = _must_be(entry.get("provenance") or {}, dict, "provenance", "a JSON object")
    provenance = Provenance(source["model"], source["prompt_version"], source["time"]) if source else None
    contrasts: list[Contrast] = []
    check_ceiling("tokens", len(_must_be(entry["prompt_pairs"], list, "prompt_pairs", "a JSON list")), "it", "descriptions")
    for item in entry["prompt_pairs"]:
        captions = _must_be(
            _must_be(item, dict, "an item of prompt_pairs", "a JSON object")["prompt_pair"], list, "prompt_pair", "two texts"
        )
        if len(captions) != 2 or not all(isinstance(text, str) and text.strip() for text in captions):
            raise UsageError(f"prompt_pair must be two texts, not {captions!r:.80}")
        check_ceiling("text", max(map(len, captions)), "it")
        check_ceiling("name", len(str(item.get("attr_type", ""))), "its attr_type")
        contrasts.append(Contrast(str(item.get("attr_type", "")), (captions[0], captions[1]), provenance))
    given = entry.get("names")
    if given is not None and (
        len(_must_be(given, list, "names", "two texts")) != 2 or not all(isinstance(n, str) for n in given)
    ):
        raise UsageError(f"names must be two texts, not {given!r:.80}")
    names = dict(zip(classes, given or (), strict=False))
    return (first, second), contrasts, names


def _must_be(value: Any, kind: type, what: str, form: str) -> Any:
    if not isinstance(value, Mapping if kind is dict else (list, tuple)):
        raise UsageError(f"{what} must be {form}, not {value!r:.60}")
    return value


def dump_pairs(pairs: PairDescriptions) -> dict[str, Any]:
    """The content of a FuDD file, with provenance and class names in keys that FuDD's program ignores."""
    content: dict[str, Any] = {}
    for (first, second), contrasts in pairs.items():
        entry: dict[str, Any] = {
            "classes": [first, second],
            "prompt_pairs": [
                {"attr_type": contrast.attribute, "prompt_pair": list(contrast.captions)} for contrast in contrasts
            ],
        }
        if first in pairs.names and second in pairs.names:
            entry["names"] = [pairs.names[first], pairs.names[second]]
        source = next((contrast.provenance for contrast in contrasts if contrast.provenance), None)
        if source:
            entry["provenance"] = {
                "format": FORMAT,
                "model": source.model,
                "prompt_version": source.prompt_version,
                "time": source.time,
            }
        content[f"{first}_{second}"] = entry
    return content


def write_pairs(pairs: PairDescriptions, path: str | os.PathLike[str]) -> None:
    """Write FuDD's pair file, whole or not at all."""
    with atomic_open(path) as stream:
        json.dump(dump_pairs(pairs), stream, ensure_ascii=False, indent=1)
        stream.write("\n")
