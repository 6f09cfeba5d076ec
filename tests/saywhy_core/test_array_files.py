"""Array files whose headers, archives or contents are hostile: one sentence each, no memory taken, nothing executed."""

import io
import json
import pickle
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from saywhy_core.errors import UsageError
from saywhy_core.images import load_array, read_image
from saywhy_core.reading.ceilings import CeilingError, ceilings
from saywhy_core.reading.numpy_files import load_arrays


def npy(header, data=b"", version=1):
    text = header if isinstance(header, bytes) else header.encode()
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + data


def header(shape, kind="'<f8'"):
    return f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}, }}"


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)),
        np.array(5),
        np.zeros((0, 3)),
        np.array(["a", "bé"]),
        np.array([], dtype="U3"),
        np.array([True, False]),
        np.arange(3, dtype=">i2"),
        np.array([1 + 2j]),
        np.array([0.5], dtype="f2"),
    ],
    ids=str,
)
def test_what_numpy_writes_comes_back_as_it_was(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", x=array, y=array)
    np.savez_compressed(tmp_path / "b.npz", x=array)
    read = [load_array(tmp_path / "a.npy"), *load_arrays(tmp_path / "a.npz").values(), load_arrays(tmp_path / "b.npz")["x"]]
    for one in read:
        assert one.dtype == array.dtype
        assert one.shape == array.shape
        np.testing.assert_array_equal(one, array)


@pytest.mark.parametrize(
    "content",
    [
        npy(header("(962072674304,)")),  # 7 TiB
        npy(header("(0, 1000000000000000000)")),
        npy(header("(-1,)")),
        npy(header(f"({'9' * 30},)")),
        npy(header(f"({'1' * 9000})")),
        npy(header(f"({'1 ' * 4000})")),
        npy(header(f"({'1,' * 40})")),
        npy(header("(4294967296, 4294967296, 4294967296)")),
        npy(b"(" * 9000),
        npy(b"-" * 9000 + b"1"),
        npy(b"{" + b" " * 9000),
        npy(b"[" * 60_000),
        npy(header("(1,)"), version=2)[:-3],
        npy(b" " * 100_000, version=2),
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
        npy(header("(1,)", "'<f8, <f8'")),
        npy(header("(1,)", "'<U999999999'")),
        npy(header("(1,)", "[('a', '<f8')]"), bytes(8)),
        npy(header("(2,)"), bytes(8)),
        npy(header("(1,)"), bytes(16)),
        npy(header("(1,)", "'|b1'"), b"\x07"),
        npy(header("(1,)", "'<U1'"), b"\xff\xff\xff\x7f"),
        npy(header("(1,)", "'<U1'"), b"\x00\xd8\x00\x00"),
        pickle.dumps({"a": 1}),
        b"",
    ],
    ids=lambda content: repr(content[10:60]),
)
def test_a_hostile_npy_is_one_sentence_that_names_it(tmp_path, content):
    (tmp_path / "a.npy").write_bytes(content)
    for read in (load_array, read_image):
        with pytest.raises(UsageError, match=r"a\.npy") as raised:
            read(tmp_path / "a.npy")
        assert "\n" not in str(raised.value)
        assert len(str(raised.value)) < len(str(tmp_path)) + 250


class Canary:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_objects_are_never_unpickled(tmp_path):
    trap = np.array([Canary(tmp_path / "canary")], dtype=object)
    np.save(tmp_path / "a.npy", trap, allow_pickle=True)
    np.savez(tmp_path / "a.npz", images=trap)
    (tmp_path / "b.npy").write_bytes(pickle.dumps(Canary(tmp_path / "canary")))
    for name in ("a.npy", "a.npz", "b.npy"):
        with pytest.raises(UsageError, match=name):
            read_image(tmp_path / name)
    assert not (tmp_path / "canary").exists()


def archive(path, members, **how):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **how) as made:
        for name, content in members:
            made.writestr(name, content)


def saved(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path):
    archive(tmp_path / "a.npz", [("x.npy", saved(np.zeros(2))), ("x.npy", saved(np.ones(2)))])
    with pytest.raises(UsageError, match=r"a\.npz: it holds two arrays called 'x'"):
        load_arrays(tmp_path / "a.npz")


def test_an_archive_that_unpacks_to_much_is_refused_by_its_headers(tmp_path):
    archive(tmp_path / "a.npz", [("x.npy", npy(header("(100, 1000000)", "'|u1'"), bytes(100_000_000)))])
    assert (tmp_path / "a.npz").stat().st_size < 200_000
    with ceilings(array=10_000_000), pytest.raises(CeilingError, match=r"a\.npz.*--ceiling array=100000000"):
        load_arrays(tmp_path / "a.npz")
    with ceilings(array=100_000_000):
        assert load_arrays(tmp_path / "a.npz")["x"].shape == (100, 1_000_000)


def test_all_arrays_of_an_archive_count_together(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", **{f"x{number}": np.zeros(1000) for number in range(10)})
    with ceilings(array=79_999), pytest.raises(CeilingError, match="the array 'x9'"):
        load_arrays(tmp_path / "a.npz")
    with ceilings(array=80_000):
        assert len(load_arrays(tmp_path / "a.npz")) == 10


def test_a_member_that_lies_about_its_size_takes_no_more_memory_than_it_has(tmp_path):
    """The directory says 8 bytes of numbers, and much more follows when it is unpacked."""
    archive(tmp_path / "a.npz", [("x.npy", npy(header("(1,)"), bytes(50_000_000)))])
    content = bytearray((tmp_path / "a.npz").read_bytes())
    real, told = len(npy(header("(1,)"))) + 50_000_000, len(npy(header("(1,)"))) + 8
    changed = bytes(content).replace(struct.pack("<I", real), struct.pack("<I", told))
    assert changed != content
    (tmp_path / "a.npz").write_bytes(changed)
    with pytest.raises(UsageError, match="damaged"):
        load_arrays(tmp_path / "a.npz")


@pytest.mark.parametrize("number", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_packings_that_numpy_does_not_write_are_refused(tmp_path, number):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", number) as made:
        made.writestr("x.npy", saved(np.zeros(3)))
    with pytest.raises(UsageError, match="savez_compressed"):
        load_arrays(tmp_path / "a.npz")


def test_an_encrypted_member_is_refused(tmp_path):
    archive(tmp_path / "a.npz", [("x.npy", saved(np.zeros(3)))])
    content = bytearray((tmp_path / "a.npz").read_bytes())
    for place, mark in ((6, b"PK\x03\x04"), (8, b"PK\x01\x02")):
        content[content.index(mark) + place] |= 1
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(UsageError, match="encrypted"):
        load_arrays(tmp_path / "a.npz")


def test_an_archive_of_more_members_than_records_is_refused(tmp_path):
    archive(tmp_path / "a.npz", [(f"{number}.npy", b"") for number in range(50)])
    with ceilings(records=49), pytest.raises(CeilingError, match="50 records"):
        load_arrays(tmp_path / "a.npz")


def test_one_bad_array_leaves_the_others(tmp_path):
    archive(tmp_path / "a.npz", [("a.npy", saved(np.zeros(2))), ("../b.npy", b"no array"), ("/c/d.npy", saved(np.ones(3)))])
    problems = {}
    read = load_arrays(tmp_path / "a.npz", on_problem=problems.__setitem__)
    assert {name: array.shape for name, array in read.items()} == {"a": (2,), "/c/d": (3,)}
    assert list(problems) == ["../b"]
    with pytest.raises(UsageError, match=r"a\.npz: the array '../b'"):
        load_arrays(tmp_path / "a.npz")


def test_whole_numbers_count_as_what_they_become(tmp_path):
    """A byte becomes four as a pixel and eight as a score."""
    np.save(tmp_path / "a.npy", np.zeros((10, 10), dtype=np.uint8))
    with ceilings(array=400):
        assert read_image(tmp_path / "a.npy").shape == (10, 10, 1)
        with pytest.raises(CeilingError, match="800 bytes of numbers"):
            load_array(tmp_path / "a.npy")
    with ceilings(array=399), pytest.raises(CeilingError):
        read_image(tmp_path / "a.npy")


def test_the_largest_archive_that_is_refused_takes_little_memory(tmp_path):
    """Half a million members: the table of contents alone would be objects of 300 MB."""
    path = tmp_path / "a.npz"
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 4) + bytes(16) + b"%04d"
    table = b"".join(entry.replace(b"%04d", b"%04x" % (number & 0xFFFF)) for number in range(500_000))
    end = b"PK\x05\x06" + bytes(4) + struct.pack("<HHII", 65535, 65535, len(table), 0) + b"\0\0"
    path.write_bytes(b"PK" + bytes(40) + table + end)
    code = (
        "import json, sys\n"
        "peak = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])  # KiB; getrusage tells the parent's\n"
        "from saywhy_core.reading.numpy_files import load_arrays\n"
        "before = peak()\n"
        "try: load_arrays(sys.argv[1])\n"
        "except ValueError as error: said = str(error)\n"
        "print(json.dumps([said, peak() - before]))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    said, kilobytes = json.loads(ran.stdout)
    assert "table of contents" in said
    assert kilobytes < 100_000
