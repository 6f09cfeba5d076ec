"""JATOS 3: a study archive (`.jzip`) to be imported there.

The archive holds one folder, the study's assets, and beside it one `.jas` file: the study's properties as JSON, of version 3 of
that format (`models.common.Study` and `models.common.Component` of JATOS, `services.gui.StudyDeserializer` reads it).
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from evals.study.exports.exporting import Export, Exported
from evals.study.exports.static import said
from evals.study.pages.bundle import bundle_files

if TYPE_CHECKING:
    from evals.study.folder import Study

JAS_VERSION = "3"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time of a zip: the same study makes the same archive


def _make(study: Study) -> Exported:
    name = _folder_name(study)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        for path, content in sorted(bundle_files(study, jatos=True).items()):
            _put(packed, f"{name}/{path}", content)
        _put(packed, f"{name}.jas", json.dumps(_properties(study, name), ensure_ascii=False, indent=1).encode())
    return Exported({"": stream.getvalue()}, tuple(_said(study)))


def _said(study: Study) -> list[str]:
    notes = [one for one in said(study) if "cell" not in one]
    return [
        "in JATOS: Import Study, then make study links; links of the type General Multiple let people take part twice",
        "JATOS gives each participant the cell that fewest of the batch have completed or are at",
        "after the study, export the result data, and give that file to saywhy study analyze",
        *notes,
    ]


def _put(packed: zipfile.ZipFile, name: str, content: bytes) -> None:
    about = zipfile.ZipInfo(name, _EPOCH)
    about.compress_type = zipfile.ZIP_DEFLATED
    about.external_attr = 0o644 << 16
    packed.writestr(about, content)


def _folder_name(study: Study) -> str:
    """A name of letters, digits and signs that every file system takes; the digest keeps two versions apart."""
    title = re.sub(r"[^a-z0-9]+", "_", study.file.title.lower()).strip("_")[:40]
    return f"{title or 'study'}_{study.digest[:8]}"


def _properties(study: Study, name: str) -> dict[str, Any]:
    """What JATOS imports. The same study has the same ids: importing it again replaces it, and doubles nothing."""
    study_id = uuid5(NAMESPACE_URL, f"saywhy:study:{study.digest}")
    component = {
        "uuid": str(uuid5(study_id, "pages")),
        "title": "Pages",
        "htmlFilePath": "index.html",
        "reloadable": True,  # participants come back to the page that they left
        "active": True,
        "comments": "",
        "jsonData": None,
    }
    return {
        "version": JAS_VERSION,
        "data": {
            "uuid": str(study_id),
            "title": study.file.title[:255],
            "description": f"A study made with saywhy, version {study.digest} of its content.",
            "groupStudy": False,
            "linearStudy": False,
            "dirName": name,
            "comments": "",
            "jsonData": None,
            "endRedirectUrl": "",
            "componentList": [component],
        },
    }


JATOS = Export("a study archive for JATOS", _make, suffix=".jzip")
