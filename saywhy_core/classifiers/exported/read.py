"""A file of torch.export in, a network out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from saywhy_core.classifiers.exported.archive import Archive
from saywhy_core.classifiers.exported.network import ExportedNetwork
from saywhy_core.classifiers.exported.pickles import check_saved
from saywhy_core.classifiers.exported.program import read_program
from saywhy_core.classifiers.exported.schema import reading
from saywhy_core.classifiers.exported.weights import from_config, from_saved
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import check_ceiling
from saywhy_core.reading.documents import parse_json

if TYPE_CHECKING:
    import torch

NATIVE = (".so", ".cpp", ".cubin", ".o", ".dll", ".dylib", ".pyd", ".ptx", ".hsaco", ".spv", ".metallib")
OLD_PROGRAM = "serialized_exported_program.json"
OLD = {"weights": "serialized_state_dict", "constants": "serialized_constants"}
INPUTS = ("data/sample_inputs/", "serialized_example_inputs")


def read_exported(path: str) -> ExportedNetwork:
    """The network in a file that torch.export.save wrote. Nothing of the file is run, and torch's own reader never sees it.

    Raises:
        UsageError: the file can't be read, or holds anything that could run code: pickles of more than tensors, native code,
            operators that do more than compute, objects of its own.
    """
    archive = Archive(path)
    for name in archive.names:
        if name.startswith("data/aotinductor/") or name.lower().endswith(NATIVE):
            raise UsageError(
                f"{path} holds native code ({name!r:.80}), which would run; the file was refused. "
                "Save the program itself with torch.export.save"
            )
        if name.startswith(INPUTS) and archive.size(name):
            check_saved(archive.bytes(name), f"{path}: {name}")
        if name.startswith(("data/constants/custom_obj", "data/constants/opaque_obj")):
            raise UsageError(f"{path} holds an object of its own ({name!r:.80}), which may run code; the file was refused")
    if "byteorder" in archive.names and archive.bytes("byteorder").strip() != b"little":
        raise UsageError(f"{path} was written by a machine with another order of bytes; export the network again")
    old = OLD_PROGRAM in archive.names
    program_name = OLD_PROGRAM if old else "models/model.json"
    where = f"{path}: {program_name}"
    content = _json(archive, program_name)
    with reading(where):
        program = read_program(content, str(path))
    tensors: dict[tuple[str, str], torch.Tensor] = {}
    wanted = {place for place, _ in program.held.values()}
    for place in ("weights", "constants"):
        if place in wanted:
            found = _saved(archive, place) if old else _stored(archive, place)
            tensors.update({(place, name): one for name, one in found.items()})
    missing = next((name for one in program.held.values() if one not in tensors for name in one[1:]), None)
    if missing is not None:
        raise UsageError(f"{path} lacks the tensor {missing!r:.80} of its network; save it again")
    with reading(where):
        return ExportedNetwork(program, tensors, str(path))


def is_exported(path: str) -> bool:
    """Whether a file is a zip file with a program of torch.export, by the names of its members."""
    try:
        names = Archive(path).names
    except UsageError:
        return False
    return any(name in ("archive_format", OLD_PROGRAM) or name.startswith("models/") for name in names)


def _saved(archive: Archive, place: str) -> dict[str, torch.Tensor]:
    name = next((f"{OLD[place]}{ending}" for ending in (".pt", ".json") if f"{OLD[place]}{ending}" in archive.names), None)
    return {} if name is None else from_saved(archive.bytes(name), f"{archive.path}: {name}")


def _stored(archive: Archive, place: str) -> dict[str, torch.Tensor]:
    legacy = f"data/{place}/model.pt"
    if legacy in archive.names:
        return from_saved(archive.bytes(legacy), f"{archive.path}: {legacy}")
    config = f"data/{place}/model_{place}_config.json"
    return from_config(archive, f"data/{place}/", _json(archive, config), f"{archive.path}: {config}")


def _json(archive: Archive, name: str) -> Any:
    where = f"{archive.path}: {name}"
    check_ceiling("bytes", archive.size(name), where)
    return parse_json(archive.bytes(name), where)
