"""Read `study.yaml`, and name what is wrong with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evals.study.design.file import StudyFile
from saywhy_core.errors import UsageError
from saywhy_core.reading.documents import read_text

if TYPE_CHECKING:
    import os


def read_study_file(path: str | os.PathLike[str]) -> StudyFile:
    """Read and check a `study.yaml`.

    Raises:
        UsageError: it can't be read, or holds what no study has; the line is named.
    """
    import yaml
    from pydantic import ValidationError

    try:
        content = yaml.safe_load(read_text(path, holds="a study"))
        return StudyFile.model_validate(content)
    except (yaml.YAMLError, ValidationError) as error:
        raise UsageError(f"{path}: {error}") from error
