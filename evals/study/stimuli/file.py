"""Texts from a file, whoever wrote them: checked against their maps, and shown below the input.

A text that is false of its map is a problem, and its item is left out, unless the option `unchecked` says that false texts are
wanted, as in a study of what false explanations do.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from evals.study.stimuli.kind import ConditionKind, flag, word
from evals.study.stimuli.layout import below, plain_text, said
from evals.study.stimuli.leaks import replaced
from saywhy_core.errors import UsageError
from verbalize.saliency import TokenSaliency

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from evals.study.items import Stimulus
    from evals.study.stimuli.making import Making
    from verbalize.saliency import Saliency

PLACEHOLDER = re.compile(
    r"""['"“‘»]?\s?(?:\{\{?\s*(?:placeholder|label|prediction|predicted[_ ]?label|class|answer|output)\s*\}?\}
    |\[(?:placeholder|label|mask|prediction|predicted[_ ]label|class)\]
    |<(?:placeholder|label|mask|prediction|predicted[_ ]label|class)>)\s?['"”’«]?""",
    re.IGNORECASE | re.VERBOSE,
)
"""What authors of masked texts write in the place of the label: '{placeholder}', {label}, [LABEL], <label>."""
_TABLES = (".csv", ".tsv")
_IDS, _TEXTS = ("id", "item", "map", "saliency_id"), ("text", "explanation", "sentence", "verbalization")


def read_texts(path: Path, making: Making) -> dict[str, str]:
    """The texts of a file by the id of their map: JSON Lines as `saywhy verbalize` writes it, or a table with a header.

    Raises:
        UsageError: the file can't be read, or an id stands in it twice.
    """
    from verbalize.texts import iter_texts

    if path.suffix.lower() in _TABLES:
        pairs = list(_of_table(path))
    else:
        found = list(iter_texts(path, on_problem=making.problems.append))
        if any(record.id is None for record in found):
            raise UsageError(f"{path}: each text needs the 'id' of its map")
        pairs = [(record.id or "", record.text) for record in found]
    texts: dict[str, str] = {}
    for name, text in pairs:
        if name in texts and texts[name] != text:
            raise UsageError(f"{path}: there are two texts of {name!r}; give each map one text")
        texts[name] = text
    return texts


def _of_table(path: Path) -> Iterator[tuple[str, str]]:
    from saywhy_core.reading.documents import read_text

    content = read_text(path, holds="texts with the ids of their maps")
    head = content.partition("\n")[0]
    mark = max("\t;,", key=head.count) if path.suffix.lower() == ".csv" else "\t"
    rows = csv.reader(io.StringIO(content, newline=""), delimiter=mark)
    names = [name.strip().casefold() for name in next(rows, [])]
    ids = next((names.index(name) for name in _IDS if name in names), None)
    texts = next((names.index(name) for name in _TEXTS if name in names), None)
    if ids is None or texts is None:
        raise UsageError(f"{path}: its first line names no columns 'id' and 'text'; write them there")
    try:
        for row in rows:
            if row:
                if len(row) <= max(ids, texts):
                    raise UsageError(f"{path}, line {rows.line_num}: the row has {len(row)} cells; it needs an id and a text")
                yield row[ids].strip(), row[texts]
    except csv.Error as error:
        raise UsageError(f"{path}, line {rows.line_num}: no table ({error})") from error


def _explain(making: Making, options: Mapping[str, object]) -> Sequence[Stimulus | None]:
    path, unchecked = making.folder / word(options, "path", ""), flag(options, "unchecked")
    if not path.is_file():
        raise UsageError(f"the condition {making.condition!r} needs a file of texts, and {path} is none")
    texts = read_texts(path, making)
    return [_shown(saliency, texts.get(saliency.saliency_id), making, unchecked) for saliency in making.maps]


def _shown(saliency: Saliency, text: str | None, making: Making, unchecked: bool) -> Stimulus | None:
    from verbalize.text_report import check_text

    if text is None or not text.strip():
        making.problem(saliency, "there is no text for this map in the file; add one with this id")
        return None
    label = "the label" if making.mask_labels else f"'{saliency.query.label}'"
    filled = PLACEHOLDER.sub(label, text)
    try:
        report = check_text(filled, saliency)
    except UsageError as error:
        making.problem(saliency, str(error))
        return None
    false = [sentence for sentence in report.sentences if sentence.status == "false"]
    if false and not unchecked:
        why = false[0].errors[0].message if false[0].errors else "the map says otherwise"
        making.problem(saliency, f"the text is false of its map: “{false[0].text}” ({why}); mend it, or set unchecked: true")
        return None
    if false:
        making.count(saliency, "texts that are false of their maps, shown because unchecked is true")
    elif any(one.status != "true" for one in report.sentences):
        making.count(saliency, "texts of which not every sentence could be verified (saywhy check says which)")
    return said(_masked(filled, saliency, making))


def _masked(text: str, saliency: Saliency, making: Making) -> str:
    """The text without names of labels, where they are to be replaced."""
    if making.names is None or not making.replace_leaks:
        return text
    own = plain_text(saliency) if isinstance(saliency, TokenSaliency) else ""
    without = replaced(text, making.names, own)
    if without != text:
        making.count(saliency, "texts in which names of labels were replaced by “the label”")
    return without


FILE = ConditionKind(
    summary="texts from a file, checked against their maps",
    show=below(_explain),
    options={
        "path": "the file: JSON Lines with id and text, or a CSV or TSV with these columns",
        "unchecked": "whether texts that are false of their maps are shown, too (false)",
    },
    explain=_explain,
)
