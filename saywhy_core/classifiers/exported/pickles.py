"""What a pickle would build, seen without building it."""

from __future__ import annotations

import io
import pickletools
import zipfile
from pathlib import PurePosixPath

from saywhy_core.errors import UsageError

PLAIN = frozenset(
    {
        "collections OrderedDict", "torch Size", "torch device", "torch Tensor", "torch.nn.parameter Parameter",
        "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_tensor", "torch._utils _rebuild_parameter",
        "torch._tensor _rebuild_from_type_v2", "torch.serialization _get_layout",
        "torch._export.serde.serialize _reconstruct_fake_tensor",
        *(f"__builtin__ {name}" for name in ("dict", "list", "tuple", "set", "int", "float", "bool", "complex")),
        *(f"builtins {name}" for name in ("dict", "list", "tuple", "set", "int", "float", "bool", "complex")),
    }
)  # fmt: skip
"""Names that torch.save writes for tensors and their containers; "module name"."""
KINDS = frozenset(
    [
        "float",
        "double",
        "half",
        "bfloat16",
        "long",
        "int",
        "short",
        "char",
        "byte",
        "bool",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "int8",
        "int16",
        "int32",
        "int64",
        "float16",
        "float32",
        "float64",
        "complex64",
        "complex128",
        "strided",
        "preserve_format",
        "contiguous_format",
    ]
)
MOST = 64 * 2**20  # bytes of one pickle; tensors' numbers lie beside it, so that an honest one has some kilobytes
_TEXTS = ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE")
_MEMO_PUT = ("PUT", "BINPUT", "LONG_BINPUT")
_MEMO_GET = ("GET", "BINGET", "LONG_BINGET")


def check_saved(content: bytes, where: str) -> None:
    """See that a file of torch.save would build nothing but tensors and plain containers.

    Args:
        content: the bytes of the file.
        where: the file and its member, for the error.

    Raises:
        UsageError: it would build something else, which may run code; or it is no such file.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            members = opened.infolist()
            if any(member.compress_type != zipfile.ZIP_STORED or member.file_size > len(content) for member in members):
                raise UsageError(f"{where} is compressed, which torch.save never does; it was not read")
            pickles = [opened.read(member) for member in members if PurePosixPath(member.filename).suffix == ".pkl"]
    except UsageError:
        raise
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError, RuntimeError):
        pickles = []  # also the form before torch 1.6, in which one pickle follows the other
    if not pickles:
        raise UsageError(f"{where} is no file of torch.save; it was not read")
    for one in pickles:
        check_pickle(one, where)


def check_pickle(content: bytes, where: str) -> None:
    """See that a pickle would build nothing but tensors and plain containers.

    Raises:
        UsageError: it would build something else, which may run code; or it is damaged.
    """
    if len(content) > MOST:
        raise UsageError(f"{where} holds a pickle of {len(content):,} bytes, which is no list of tensors; it was not read")
    texts: list[str | None] = []
    memo: dict[object, str | None] = {}
    stream = io.BytesIO(content)
    try:
        for operation, argument, _ in pickletools.genops(stream):
            name = operation.name
            if name in _TEXTS:
                texts.append(argument if isinstance(argument, str) else None)
            elif name in _MEMO_GET:
                texts.append(memo.get(argument))
            elif name in _MEMO_PUT:
                memo[argument] = texts[-1] if texts else None
            elif name == "MEMOIZE":
                memo[len(memo)] = texts[-1] if texts else None
            elif name in ("GLOBAL", "INST"):
                _allow(str(argument), where)
                texts.append(None)
            elif name == "STACK_GLOBAL":
                parts = texts[-2:]
                _allow(" ".join(part or "?" for part in parts) if len(parts) == 2 else "?", where)
                texts.append(None)
            elif name in ("EXT1", "EXT2", "EXT4"):
                _allow("an extension of copyreg", where)
            else:
                texts.append(None)
        if stream.read(1):
            raise ValueError("something follows its end")
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001 - pickletools raises almost anything on damaged bytes
        raise UsageError(f"{where} is damaged, or no file of torch.save ({str(error)[:80] or type(error).__name__})") from None


def _allow(name: str, where: str) -> None:
    module, _, attribute = name.partition(" ")
    plain = name in PLAIN or (module == "torch" and (attribute in KINDS or attribute.removesuffix("Storage").lower() in KINDS))
    if not plain and not (module == "torch.storage" and attribute in ("UntypedStorage", "TypedStorage")):
        raise UsageError(
            f"{where} holds a pickle that builds {name.replace(' ', '.')!r:.80}, which could run code; the file was refused. "
            "Save a program whose example inputs and weights are plain tensors"
        )
