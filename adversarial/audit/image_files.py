"""The files that the images of an audit are read from."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from adversarial.audit.gathering import AuditImage, misfit
from adversarial.audit.image_folders.placing import pixels_digest
from adversarial.audit.sources import Source, read_source
from saywhy_core.errors import UsageError
from saywhy_core.images import resize_image

if TYPE_CHECKING:
    from adversarial.audit.records import ImageRecord
    from adversarial.audit.store import AuditStore
    from adversarial.audit.work.places import Places
    from saywhy_core.classifiers import Classifier


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """The files of an audit's images, read as its classifier takes them.

    Attributes:
        places: where relative paths start.
        classifier: what the images must fit.
        size: (height, width) that images are brought to, or None.
    """

    places: Places
    classifier: Classifier
    size: tuple[int, int] | None

    def place(self, path: str) -> str:
        """Where a file is, by the path in its row."""
        return os.path.join(self.places.folder, path)  # noqa: PTH118

    def there(self, path: str) -> bool:
        """Whether there is a file."""
        return os.path.exists(self.place(path))  # noqa: PTH110

    def read(self, source: Source) -> Any:
        """The pixels of an image, (H, W, C) float32 in [0, 1].

        Raises:
            UsageError: it can't be read, or does not fit the classifier.
        """
        shape = self.classifier.image_shape
        pixels = read_source(replace(source, path=self.place(source.path)), shape[2])
        if self.size is not None:
            pixels = resize_image(pixels, self.size)
        wrong = misfit(pixels.shape, source.label, shape, self.classifier.class_names)
        if wrong is not None:
            raise UsageError(wrong)
        return pixels

    def digest(self, source: Source) -> str | None:
        """What tells the pixels of an image from others, as its row has it; None where it can't be read."""
        try:
            return pixels_digest(AuditImage(source.name, self.read(source)))
        except UsageError:
            return None

    def in_use(self, store: AuditStore, path: str) -> bool:
        """Whether a file or folder that was given still has images; not where all of them moved."""
        outer = self.places.same(path)
        inside = os.path.join(outer, "")  # noqa: PTH118
        return self.there(path) or any(
            place == outer or place.startswith(inside) for place in (self.places.same(record.path) for record in store.images())
        )

    def check_there(self, store: AuditStore) -> None:
        """See whether images are there at all: a disk that is not mounted should not make all of them fail.

        Raises:
            UsageError: images wait, and no image of the audit is there.
        """
        first = next(store.images("waiting"), None)
        if first is None or any(self.there(record.path) for record in store.images("waiting")):
            return
        if not any(self.there(record.path) for record in store.images()):
            raise UsageError(
                f"no image of this audit is there any more, {first.path} first; mount their disk, or give the folder that they "
                "are in now"
            )


def source_of(record: ImageRecord) -> Source:
    """Where the image of a row is, with its label."""
    return Source(record.name, record.path, record.part, record.label)
