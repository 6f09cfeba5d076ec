"""Mutations that keep a format's frame: JSON values, CSV fields, lines of text, PNG chunks, npy headers, zip members, protobuf fields."""

from __future__ import annotations

import csv
import io
import json
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import bytes_level
import zoo

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random


# ---------------------------------------------------------------- JSON


def json_document(data: bytes, rng: Random, other: bytes) -> bytes:
    """A document with one to three values replaced, dropped, doubled or wrapped."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return bytes_level.mutate(data, rng, other)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        document = _changed_somewhere(document, rng)
    return _json_bytes(document, rng)


def json_lines(data: bytes, rng: Random, other: bytes) -> bytes:
    """Lines of which one to three are changed, doubled, dropped, cut or something else."""
    lines = data.splitlines()
    for _ in range(rng.choice((1, 1, 2, 3))):
        place = rng.randrange(max(1, len(lines)))
        what = rng.randrange(10)
        if what == 0 or not lines:
            lines.insert(place, zoo.written(json.dumps(zoo.value(rng))).encode("utf-8", "replace"))
        elif what == 1:
            lines.insert(place, lines[rng.randrange(len(lines))])
        elif what == 2:
            lines[place] = bytes_level.mutate(lines[place], rng, other)
        elif what == 3:
            lines.insert(place, rng.choice((b"", b"  ", b"\x00", b"{", b"[]", b"null", b'"text"', b"\xff", b"{}")))
        else:
            lines[place] = json_document(lines[place], rng, other).replace(b"\n", b" ")
    return rng.choice((b"\n", b"\n", b"\n", b"\r\n", b"\r", b"\n\n")).join(lines) + b"\n"


def _json_bytes(document: Any, rng: Random) -> bytes:
    text = json.dumps(document, ensure_ascii=True, indent=rng.choice((None, None, 1)))
    text = zoo.written(text)
    if rng.random() < 0.1 and text.startswith("{"):
        name, found = text[1:].partition(":")[:2]
        text = "{" + name + found + json.dumps(rng.choice(zoo.TEXTS)) + "," + text[1:] if found else text
    return text.encode("utf-8", "surrogatepass")


def _places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(node, dict):
        for key, value in node.items():
            found += _places(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node[:50]):
            found += _places(value, (*path, index))
    return found


def _changed_somewhere(document: Any, rng: Random) -> Any:
    places = _places(document)
    path = rng.choice(places)
    if len(path) == 0 and rng.random() < 0.8 and len(places) > 1:
        path = rng.choice(places[1:])
    if not path:
        return _other_value(document, rng)
    parent = document
    for step in path[:-1]:
        parent = parent[step]
    last = path[-1]
    what = rng.randrange(8)
    if what == 0:
        del parent[last]
    elif what == 1 and isinstance(parent, dict):
        parent[rng.choice(zoo.TEXTS)[:60]] = parent.pop(last)
    elif what == 1 or (what == 2 and isinstance(parent, list)):
        parent[last:last] = [parent[last]] * rng.choice((1, 2, 50, 500))
    elif what == 3:
        source: Any = document
        for step in rng.choice(places):
            try:
                source = source[step]
            except (KeyError, IndexError, TypeError):
                break
        parent[last] = json.loads(json.dumps(source))
    else:
        parent[last] = _other_value(parent[last], rng)
    return document


def _other_value(value: Any, rng: Random) -> Any:
    if rng.random() < 0.35:
        if isinstance(value, str):
            return rng.choice((value + zoo.text(rng), zoo.text(rng) + value, value * 50, value.upper(), [value], list(value)))
        if isinstance(value, bool) or value is None:
            return rng.choice((not value, 1, "true", [], {}))
        if isinstance(value, (int, float)):
            return rng.choice((-value, value + 1, value * 1e9, value + 0.5, str(value), [value], value * 10**6, True))
        if isinstance(value, list):
            return rng.choice((value[::-1], value[1:], [value], value * 20, dict(enumerate(value)), value[:1], []))
        return rng.choice((list(value.items()), list(value.values()), [value], {}, json.dumps(value)))
    return zoo.value(rng)


# ---------------------------------------------------------------- tables and texts


_LARGE = 4_000_000  # characters that one change may add to a table


def table(data: bytes, rng: Random, other: bytes) -> bytes:
    """A CSV or TSV with changed fields, rows, columns, quotes or separators."""
    text = data.decode("utf-8")
    delimiter = "\t" if "\t" in text.partition("\n")[0] else ";" if ";" in text.partition("\n")[0] else ","
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    for _ in range(rng.choice((1, 1, 2, 3))):
        row = rng.randrange(len(rows))
        column = rng.randrange(max(1, len(rows[row])))
        what = rng.randrange(12)
        if what < 5 and rows[row]:
            rows[row][column] = rng.choice((zoo.text(rng), str(rng.choice(zoo.NUMBERS)), rng.choice(zoo.LITERALS)[:6000]))
        elif what == 5:
            rows.insert(row, list(rows[rng.randrange(len(rows))]))
        elif what == 6 and len(rows) > 1:
            del rows[row]
        elif what == 7:
            for one in rows:
                one[column:column] = one[column : column + 1]
        elif what == 8:
            for one in rows:
                del one[column : column + 1]
        elif what == 9:
            cell = zoo.text(rng)
            rows[row] += [cell] * min(rng.choice((1, 3, 500)), 1 + _LARGE // (1 + len(cell)))
        elif what == 10:
            rows[row] = []
        else:
            rows += [list(rows[-1])] * min(rng.choice((1, 50, 2000)), 1 + _LARGE // (1 + sum(map(len, rows[-1]))))
        rows = rows or [[""]]
    if rng.random() < 0.15:
        delimiter = rng.choice(",;\t|:")
    into = io.StringIO()
    writer = csv.writer(
        into, delimiter=delimiter, quoting=rng.choice((0, 0, 0, 1)), lineterminator=rng.choice(("\n", "\n", "\r\n", "\r"))
    )
    writer.writerows(rows)
    made = into.getvalue().encode("utf-8", "surrogatepass")
    if rng.random() < 0.15:  # a quote that swallows the rest, or bytes that are no text
        place = rng.randrange(len(made) + 1)
        made = made[:place] + rng.choice(zoo.SNIPPETS) + made[place:]
    return made


def lines_of_text(data: bytes, rng: Random, other: bytes) -> bytes:
    """Lines with texts of the zoo in, before and after them."""
    lines = data.decode("utf-8").split("\n")
    for _ in range(rng.choice((1, 1, 2, 3))):
        place = rng.randrange(len(lines))
        what = rng.randrange(6)
        if what == 0:
            lines.insert(place, zoo.text(rng))
        elif what == 1:
            lines[place] = zoo.text(rng)
        elif what == 2:
            words = lines[place].split(" ")
            words.insert(rng.randrange(len(words) + 1), zoo.text(rng))
            lines[place] = " ".join(words)
        elif what == 3:
            words = lines[place].split(" ")
            rng.shuffle(words)
            lines[place] = " ".join(words)
        elif what == 4:
            lines[place] = lines[place] * rng.choice((2, 30, 300))
        else:
            lines += [lines[place]] * rng.choice((1, 100, 3000))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def settings(data: bytes, rng: Random, other: bytes) -> bytes:
    """TOML with other keys, values, tables and nesting."""
    lines = data.decode().splitlines()
    for _ in range(rng.choice((1, 1, 2))):
        place = rng.randrange(len(lines))
        key, equals, value = lines[place].partition(" = ")
        what = rng.randrange(8)
        if what < 4:
            lines[place] = f"{key} = {_toml_value(rng)}"
        elif what == 4:
            lines[place] = (
                f"{rng.choice((*_OPTIONS, json.dumps(rng.choice(zoo.TEXTS)[:300]), 'a.b.c', '[a]', 'é'))}{equals}{value}"
            )
        elif what == 5:
            lines.insert(
                place,
                rng.choice(
                    (
                        lines[place],
                        "[table]",
                        "[[tables]]",
                        "[" * 50,
                        "a.b = 1",
                        "trust = true",
                        'settings = "x"',
                        "= 1",
                        "key",
                        "\x00 = 1",
                    )
                ),
            )
        elif what == 6:
            lines[place] = f"{key} = {value} # {rng.choice(zoo.TEXTS)[:500]}"
        else:
            lines += [f"{rng.choice(_OPTIONS)} = {_toml_value(rng)}"] * rng.choice((1, 1, 2))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


_OPTIONS = (
    "style",
    "max-words",
    "label",
    "versus",
    "format",
    "maps-format",
    "budget",
    "goal",
    "labels",
    "target",
    "llm",
    "cache",
    "price",
    "kind",
    "trust",
    "out",
    "ceiling",
    "help",
    "version",
)


def _toml_value(rng: Random) -> str:
    what = rng.randrange(8)
    if what < 3:
        return json.dumps(rng.choice(zoo.TEXTS)[:5000])
    if what == 3:
        return str(rng.choice(zoo.NUMBERS))
    if what == 4:
        return rng.choice(
            (
                "inf",
                "-nan",
                "0x_",
                "1979-05-27",
                "25:00:00",
                "9" * 5000,
                "1e400",
                "1_000_000",
                "0b1",
                "true",
                "[[],[]]",
                "{a=1}",
                "'",
                '"""',
                '"\\ud800"',
                "[" * 5000,
                "{a=" * 500,
                "[1, 'a']",
            )
        )
    if what == 5:
        return "[" + ", ".join(json.dumps(rng.choice(zoo.TEXTS)[:50]) for _ in range(rng.choice((0, 1, 2, 100)))) + "]"
    return rng.choice(("true", "false", "1", "0", '"0"', '"classes.txt"', '"image.npy"', '"plain"', "2.5"))


def answer(data: bytes, rng: Random, other: bytes) -> bytes:
    """A hostile or broken answer of a server."""
    from answers import mutated_answer

    return mutated_answer(rng.randrange(10**6), rng.randrange(10**6))


# ---------------------------------------------------------------- pictures


def picture(data: bytes, rng: Random, other: bytes) -> bytes:
    """A PNG whose chunks are changed and have right checksums; segments of a JPEG; bytes of every other format."""
    if data.startswith(b"\x89PNG"):
        return _png(data, rng, other)
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data, rng, other)
    return bytes_level.mutate(data, rng, other)


def _png(data: bytes, rng: Random, other: bytes) -> bytes:
    chunks: list[tuple[bytes, bytes]] = []
    place = 8
    while place + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, place)
        chunks.append((name, data[place + 8 : place + 8 + size]))
        place += 12 + size
    for _ in range(rng.choice((1, 1, 2))):
        number = rng.randrange(len(chunks))
        what = rng.randrange(8)
        if what < 2:
            header = bytearray(chunks[0][1])
            if len(header) == 13:
                field = rng.randrange(7)
                if field < 2:
                    struct.pack_into(">I", header, 4 * field, rng.choice((0, 1, 13_000, 65_535, 2**31 - 1, 2**32 - 1)))
                else:
                    header[6 + field] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
                chunks[0] = (chunks[0][0], bytes(header))
        elif what == 2:
            chunks.insert(number, rng.choice(chunks))
        elif what == 3:
            del chunks[number]
            chunks = chunks or [(b"IEND", b"")]
        elif what == 4:
            name = rng.choice(
                (b"zTXt", b"iTXt", b"iCCP", b"eXIf", b"tRNS", b"PLTE", b"acTL", b"fcTL", b"fdAT", b"gAMA", b"sBIT")
            )
            chunks.insert(
                number,
                (name, rng.choice((b"x\0\0" + zeros(60_000_000), rng.randbytes(12), b"", b"\0" * 800, b"key\0" + b"a" * 99))),
            )
        elif what == 5:
            huge = struct.pack(">IIBBBBB", 13_000, 13_000, 8, rng.choice((0, 2, 6)), 0, 0, rng.choice((0, 1)))
            chunks[0] = (b"IHDR", huge)
            chunks = [one for one in chunks if one[0] != b"IDAT"]
            chunks.insert(1, (b"IDAT", zeros(200_000_000)))
        else:
            chunks[number] = (chunks[number][0], bytes_level.mutate(chunks[number][1], rng, other))
    return data[:8] + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )


def _jpeg(data: bytes, rng: Random, other: bytes) -> bytes:
    marks = [place for place in range(len(data) - 1) if data[place] == 0xFF and 0xC0 <= data[place + 1] < 0xFF]
    changed = bytearray(data)
    place = rng.choice(marks)
    what = rng.randrange(5)
    if what == 0:
        sizes = [mark for mark in marks if data[mark + 1] in (0xC0, 0xC1, 0xC2)]
        if sizes:
            struct.pack_into(
                ">HH", changed, sizes[0] + 5, rng.choice((0, 1, 13_000, 65_500, 65_535)), rng.choice((0, 1, 13_000, 65_500))
            )
    elif what == 1:
        changed[place + 1] = rng.randrange(0xC0, 0xFF)
    elif what == 2 and place + 4 <= len(changed):
        struct.pack_into(">H", changed, place + 2, rng.choice((0, 1, 2, 3, 0xFFFF, 100)))
    elif what == 3:
        changed[place:place] = (
            b"\xff" + bytes([rng.choice((0xE0, 0xE1, 0xE2, 0xEE, 0xFE, 0xDB))]) + b"\x00\x20" + rng.randbytes(30)
        )
    else:
        return bytes_level.mutate(data, rng, other)
    return bytes(changed)


_ZEROS: dict[int, bytes] = {}


def zeros(size: int, *, raw: bool = False) -> bytes:
    """`size` zeros in zlib's form (without its frame where `raw`), of a thousandth of that size, made without making the zeros."""
    million = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = million.compress(bytes(1_000_000)) + million.flush(zlib.Z_FULL_FLUSH)
    body = piece * (size // 1_000_000) + b"\x03\x00"
    return body if raw else b"\x78\xda" + body + struct.pack(">I", (size % 65521) << 16 | 1)


# ---------------------------------------------------------------- arrays


def array_file(data: bytes, rng: Random, other: bytes) -> bytes:
    """An npy with another header, or an npz with other members."""
    if data.startswith(b"\x93NUMPY"):
        return _npy(data, rng, other)
    return archive(data, rng, other, lambda _, body: _npy(body, rng, other) if body.startswith(b"\x93NUMPY") else body)


_SHAPES = (
    "()", "(0,)", "(1,)", "(-1,)", "(3, -4)", "(10**18,)", "(1000000000000,)", "(0, 1000000000000000000)", "(4294967296, 4294967296)",
    "(9223372036854775807,)", "(True,)", "(4.0, 4)", "(1, 1, 1, 1, 1, 1, 1)", "(" + "1, " * 70 + ")", "('4', 4)", "None", "[4, 4]", "(24, 1)", "(60000, 60000)",
    "(4, 6, 3)", "(2, 2)", "(1000, 1000, 1000)",
)  # fmt: skip
_TYPES = (
    "'|O'", "'<f2'", "'<f4'", "'>f8'", "'<f16'", "'<c16'", "'|b1'", "'<U4'", "'|S3'", "'|V8'", "'<M8[s]'", "'<m8[D]'", "'<i8'", "'<u8'", "'<i1'", "'xx'", "''",
    "None", "[('a', '<f4'), ('b', '|O')]", "[('a', '<f4', (1000, 1000))]", "('<f4', (2, 2))", "'<U100000000'", "'<f4,<f4'", "{}", "'object'", "'|V0'", "'|S0'",
)  # fmt: skip
_HEADERS = (
    "{}", "[]", "None", "{'descr': '<f4'}", "(" * 300 + ")" * 300, "[" * 3000 + "]" * 3000, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), 'x': 1}",
    "-" * 5000 + "1", "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 2)}", "9**9**9", zoo.PYTHON, "'" * 99, "\\x00", "{" * 50,
)  # fmt: skip


def _npy(data: bytes, rng: Random, other: bytes) -> bytes:
    long = data[6] > 1
    size = struct.unpack_from("<I" if long else "<H", data, 8)[0]
    start = 12 if long else 10
    header, body = data[start : start + size].decode("latin-1"), data[start + size :]
    what = rng.randrange(9)
    shape, kind = (
        header[header.index("'shape': ") + 9 : header.rindex(")") + 1],
        header[header.index(":") + 2 : header.index(", 'fort")],
    )
    order = "'fortran_order': True" if rng.random() < 0.2 else "'fortran_order': False"
    if what < 3:
        shape = rng.choice(_SHAPES)
    elif what < 5:
        kind = rng.choice(_TYPES)
    elif what == 5:
        body = body[: rng.randrange(len(body) + 1)] if rng.random() < 0.5 else body + rng.randbytes(100)
    elif what == 6:
        body = rng.choice((b"\xff", b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\xff\xff\x7f\x7f")) * (len(body) // 4 + 1)
        body = body[: len(data) - start - size]
    elif what == 7:
        return bytes_level.mutate(data, rng, other)
    written = f"{{'descr': {kind}, {order}, 'shape': {shape}, }}" if what != 8 else rng.choice(_HEADERS)
    if rng.random() < 0.05:
        body = zoo.hostile_pickle()
        written = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    raw = written.encode("latin-1", "replace") + b"\n"
    version = rng.choice((1, 1, 1, 2, 3, 9)) if len(raw) < 65_000 else 2
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(raw)) + raw + body


# ---------------------------------------------------------------- archives


def archive(data: bytes, rng: Random, other: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """A zip with one member changed, added, doubled, dropped, packed as a bomb, or told wrongly in the directory."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as source:
            members = [(info.filename, source.read(info)) for info in source.infolist()]
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error):
        return bytes_level.mutate(data, rng, other)
    number = rng.randrange(len(members))
    name, body = members[number]
    folder = name.partition("/")[0] + "/" if "/" in name else ""
    what = rng.randrange(14)
    if what < 6:
        members[number] = (name, change(name, body))
    elif what == 6:
        members[number] = (name, zoo.hostile_pickle())
    elif what == 7:
        members.insert(number, (name, rng.choice((body, zoo.hostile_pickle(), b"", change(name, body)))))
    elif what == 8:
        del members[number]
    elif what == 9:
        added = rng.choice(
            (
                "../x.npy",
                "/x.npy",
                "x/y/z.npy",
                "a\x1b[31m.npy",
                "[/foo].npy",
                "labels.npy",
                "data.pkl",
                "constants.pkl",
                "x.so",
                "extra/x",
            )
        )
        members.insert(number, (folder + added, rng.choice((body, zoo.hostile_pickle(), b"x"))))
    elif what == 10:
        members[number] = (name, bytes_level.mutate(body, rng, other))
    elif what == 11:
        members += [(f"{folder}many{one}.npy", b"") for one in range(rng.choice((100, 5000)))]
    made = _zip(members, rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
    if what == 12:
        bomb = name if rng.random() < 0.7 else folder + "bomb.npy"
        made = _with_bomb([one for one in members if one[0] != bomb], bomb, rng)
    elif what == 13:
        made = _lying(made, rng)
    return made


def _zip(members: list[tuple[str, bytes]], method: int) -> bytes:
    import warnings

    into = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(into, "w", method) as target:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, body in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            target.writestr(info, body)
    return into.getvalue()


def _with_bomb(members: list[tuple[str, bytes]], name: str, rng: Random) -> bytes:
    """The archive with one more member, which unpacks to far more than it says, or to all that it says."""
    header = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|u1', 'fortran_order': False, 'shape': (300000000,), }".ljust(117) + b"\n"
    first = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = first.compress(header) + first.flush(zlib.Z_FULL_FLUSH) + zeros(rng.choice((300, 2000)) * 1_000_000, raw=True)
    said = rng.choice((300_000_000 + len(header), 2_000_000_128, 128, 0, 0xFFFFFFFE))
    into = io.BytesIO(_zip(members, zipfile.ZIP_STORED))
    with zipfile.ZipFile(into, "a") as target:
        info = zipfile.ZipInfo(name)
        info.header_offset = target.start_dir
        info.compress_type, info.compress_size, info.file_size, info.CRC = (
            zipfile.ZIP_DEFLATED,
            len(packed),
            said,
            rng.getrandbits(32),
        )
        target.fp.seek(target.start_dir)
        target.fp.write(info.FileHeader(zip64=False))
        target.fp.write(packed)
        target.start_dir = target.fp.tell()
        target.filelist.append(info)
        target.NameToInfo[name] = info
        target._didModify = True
    return into.getvalue()


def _lying(data: bytes, rng: Random) -> bytes:
    """Another number in a header of the directory, or of a member."""
    changed = bytearray(data)
    places = [place for place in range(len(data) - 46) if data[place : place + 4] in (b"PK\x01\x02", b"PK\x03\x04")]
    if places:
        place = rng.choice(places)
        field = rng.choice((6, 8, 10, 14, 18, 20, 22, 24, 26, 28, 42))
        struct.pack_into("<I", changed, place + field, rng.choice(bytes_level.INTEGERS))
    return bytes(changed)


def program(data: bytes, rng: Random, other: bytes) -> bytes:
    """An archive of torch's with other JSON, pickles or numbers in it."""

    def change(name: str, body: bytes) -> bytes:
        if name.endswith(".json"):
            return json_document(body, rng, other) if rng.random() < 0.6 else _with_code(body, rng)
        if body[:1] == b"\x80":
            return rng.choice((zoo.hostile_pickle(), body[:-1] + zoo.hostile_pickle(), bytes_level.mutate(body, rng, other)))
        if body[:4] == b"PK\x03\x04":
            return archive(body, rng, other, change)
        return bytes_level.mutate(body, rng, other)

    return archive(data, rng, other, change)


def _with_code(body: bytes, rng: Random) -> bytes:
    """A program with names and expressions that would run something."""
    document = json.loads(body)
    names = [
        path
        for path in _places(document)
        if path and path[-1] in ("target", "expr_str", "name", "type", "fqn", "as_expr", "as_string")
    ]
    if not names:
        return json_document(body, rng, b"")
    path = rng.choice(names)
    parent = document
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = rng.choice(
        (zoo.PYTHON, "torch.os.system", "torch.ops.os.system", "os.system", "builtins.exec", "math.__loader__", "operator.methodcaller",
         "torch.load", "torch.hub.load", f"x = {zoo.PYTHON}", f"x\n    {zoo.PYTHON}\n", "torch.ops.aten.fill_.Scalar", "torch.classes.load_library",
         "_operator.__spec__.loader.load_module")
    )  # fmt: skip
    return json.dumps(document).encode()


# ---------------------------------------------------------------- protobuf


def protobuf(data: bytes, rng: Random, other: bytes) -> bytes:
    """A message with one to three fields changed, at any depth; lengths fit again."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        data = _message(data, rng, other)
    return data


def _message(data: bytes, rng: Random, other: bytes) -> bytes:
    fields = _fields(data)
    if not fields:
        return bytes_level.mutate(data, rng, other)
    number = rng.randrange(len(fields))
    tag, content = fields[number]
    what = rng.randrange(9)
    if what == 0:
        del fields[number]
    elif what == 1:
        fields.insert(number, fields[rng.randrange(len(fields))])
    elif what == 2:
        fields[number] = (tag + 8 * rng.choice((1, -1, 3)) if tag > 16 else tag + 8, content)
    elif isinstance(content, int):
        fields[number] = (
            tag,
            rng.choice(
                (
                    0,
                    1,
                    2,
                    7,
                    16,
                    255,
                    content + 1,
                    max(0, content - 1),
                    *[one & (2**64 - 1) for one in zoo.NUMBERS if isinstance(one, int)],
                )
            ),
        )
    elif tag & 7 == 2:
        inner = _fields(content)
        if inner and rng.random() < 0.85:
            content = _message(content, rng, other)
        elif rng.random() < 0.5:
            content = zoo.text(rng).encode("utf-8", "replace")
        else:
            content = bytes_level.mutate(content, rng, other)
        fields[number] = (tag, content)
    else:
        fields[number] = (tag, bytes_level.mutate(content, rng, b"")[: len(content)].ljust(len(content), b"\0"))
    return b"".join(_varint(tag) + _content(tag, content) for tag, content in fields)


def _content(tag: int, content: int | bytes) -> bytes:
    if isinstance(content, int):
        return _varint(content)
    return _varint(len(content)) + content if tag & 7 == 2 else content


def _varint(value: int) -> bytes:
    out = bytearray()
    value &= 2**64 - 1
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _fields(data: bytes) -> list[tuple[int, int | bytes]]:
    """The fields of a message, or none where the bytes are none."""
    found: list[tuple[int, int | bytes]] = []
    place = 0
    try:
        while place < len(data):
            tag, place = _read_varint(data, place)
            kind = tag & 7
            if tag < 8 or kind not in (0, 1, 2, 5) or tag > 1 << 14:
                return []
            if kind == 0:
                value, place = _read_varint(data, place)
                found.append((tag, value))
                continue
            size = {1: 8, 5: 4}.get(kind, 0)
            if kind == 2:
                size, place = _read_varint(data, place)
            if place + size > len(data):
                return []
            found.append((tag, data[place : place + size]))
            place += size
    except IndexError:
        return []
    return found


def _read_varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        one = data[place]
        value |= (one & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if one < 0x80:
            return value, place
        if shift > 63:
            raise IndexError


def kept(data: bytes, rng: Random, other: bytes) -> bytes:
    """A file that a command keeps for itself: JSON, JSON Lines, or a database."""
    if data.startswith(b"SQLite"):
        return bytes_level.mutate(data, rng, other)
    return json_lines(data, rng, other) if rng.random() < 0.8 else json_document(data, rng, other)
