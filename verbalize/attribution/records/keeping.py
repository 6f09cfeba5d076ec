"""Finished maps are kept while a file of them is made, so that a run that was stopped goes on where it was."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from saywhy_core.disk.destinations import beside
from saywhy_core.disk.files import atomic_open, check_writable
from saywhy_core.disk.journal import Journal
from verbalize.formats import from_record, to_record, write_saliency
from verbalize.formats.own import check_unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from numpy.typing import NDArray

    from verbalize.attribution.records.inputs import InputRecord
    from verbalize.saliency import Saliency


class KeptMaps:
    """The maps of a file that is made over a long time.

    Finished maps go to the journal `OUT.part`, their arrays to the folder `OUT.part.arrays`. A run with the same settings finds
    them, and leaves out the inputs that they are of: those with the same id, content and label. `finish` writes OUT whole.

    Args:
        out: the file to write in the end.
        settings: all that the maps depend on besides their inputs; a journal of other settings is set aside as `OUT.part.old`.

    Raises:
        UsageError: on entering, the journal can't be read, another process writes to it, or OUT can't be written.
    """

    def __init__(self, out: str, settings: Mapping[str, Any]) -> None:
        self.out = Path(out)
        self._arrays = beside(out, ".part.arrays")
        self._done: dict[str, dict[str, Any]] = {}
        self.earlier = 0  # maps of an earlier run that are used again
        self._journal = Journal(
            beside(out, ".part"), what="journal of maps", version=1, settings=settings, others=None,
            check=lambda record: (record["id"], record["input"], record["map"]["query"]),
        )  # fmt: skip

    def __enter__(self) -> Self:
        check_unpacked(self.out)
        check_writable(self.out)
        self._journal.__enter__()
        self._done = {str(record["id"]): record for record in self._journal.records()}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._journal.__exit__(kind, error, trace)

    def holds(self, record: InputRecord) -> bool:
        """Whether the map of an input is there, whole, from this run or an earlier one."""
        kept = self._done.get(record.id)
        if kept is None:
            return False
        if kept["input"] != digest_of(record):
            del self._done[record.id]  # the input has changed since
            return False
        there = all((self._arrays.parent / name).is_file() for name in _names(kept["map"]))
        self.earlier += there
        return there

    def add(self, record: InputRecord, saliency: Saliency) -> None:
        """Keep the finished map of an input; it is on the disk when this returns."""
        kept = {"id": record.id, "input": digest_of(record), "map": to_record(saliency, self._save)}
        self._journal.append(kept)
        self._done[record.id] = kept

    def finish(self, order: list[str], *, whole: bool) -> int:
        """Write OUT with the maps of these inputs, in this order, and return how many there are.

        Args:
            order: the ids of the inputs; those without a map are left out. Without any map, OUT stays as it was.
            whole: whether no input is left for another run, so that the journal can go.
        """
        found = [name for name in order if name in self._done]
        written = write_saliency(self._restored(found), self.out) if found else 0
        if whole or not found:
            self._journal.remove()
            for kept in self._done.values():
                for name in _names(kept["map"]):
                    (self._arrays.parent / name).unlink(missing_ok=True)
            if self._arrays.is_dir() and not any(self._arrays.iterdir()):
                self._arrays.rmdir()
        return written

    def _restored(self, names: list[str]) -> Iterator[Saliency]:
        for name in names:
            yield from_record(self._done[name]["map"], self._arrays.parent)

    def _save(self, what: str, array: NDArray[Any]) -> str:
        content = io.BytesIO()
        np.save(content, array, allow_pickle=False)
        name = f"{hashlib.sha256(content.getbuffer()).hexdigest()[:32]}.{what}.npy"
        with atomic_open(self._arrays / name, "wb") as stream:
            stream.write(content.getbuffer())
        return f"{self._arrays.name}/{name}"


def digest_of(record: InputRecord) -> str:
    """A digest of the content and the label of an input."""
    content = record.content
    seen = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else np.ascontiguousarray(content).tobytes()
    shape = "" if isinstance(content, str) else str(np.shape(content))
    return hashlib.sha256(seen + f"\n{shape}\n{record.label!r}".encode()).hexdigest()


def weights_of(model: Any) -> str:
    """A digest of the beginning of every weight of a model, which tells it from the same model after more training.

    For a model without weights of torch it is that of nothing.
    """
    found = hashlib.sha256()
    modules = [part for part in vars(model).values() if isinstance(part, torch.nn.Module)] if hasattr(model, "__dict__") else []
    for module in modules:
        for name, weight in module.state_dict().items():
            if isinstance(weight, torch.Tensor):
                some = weight.detach().flatten()[:64].double().cpu().numpy()
                found.update(f"{name}{tuple(weight.shape)}".encode() + some.tobytes())
    return found.hexdigest()


def _names(record: Mapping[str, Any]) -> list[str]:
    return [str(record[name]) for name in ("pixels", "image") if name in record]
