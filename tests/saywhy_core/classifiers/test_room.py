"""What models may take of memory while they compute: whatever their kernels ask for, the process stays small."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from saywhy_core.bounded.room import in_parts, room
from saywhy_core.reading.ceilings import CeilingError

torch = pytest.importorskip("torch")
linux = pytest.mark.skipif(sys.platform != "linux", reason="the limit is one of Linux")

LINES = {
    "unique": "torch.unique(x.new_zeros(40_000_000).long()).sum()",
    "unique with places": "torch.unique(x.new_zeros(30_000_000), return_inverse=True)[1].sum()",
    "sort": "x.new_zeros(60_000_000).sort()[1].sum()",
    "nonzero": "torch.nonzero(x.new_ones(60_000_000)).sum()",
    "nonzero of many axes": "torch.nonzero(x.new_ones(8, 8, 8, 8, 8, 8, 100)).sum()",
    "three together": "(lambda a, b: (a + b + x.new_ones(60_000_000)).sum())(x.new_ones(60_000_000), x.new_ones(60_000_000))",
    "cumsum of halves": "x.new_zeros(100_000_000, dtype=torch.half).cumsum(0).sum()",
    "topk": "x.new_zeros(50_000_000).topk(20_000_000)[0].sum()",
    "convolution": "torch.nn.functional.conv2d(x.new_ones(1, 8, 1500, 1500), x.new_ones(8, 8, 15, 15)).sum()",
    "fft": "torch.fft.fft(x.new_ones(60_000_000)).abs().sum()",
    "svd": "torch.linalg.svd(x.new_ones(6000, 6000))[1].sum()",
}  # fmt: skip
CODE = """
import resource, sys, numpy as np, torch
from pathlib import Path
from saywhy_core.classifiers import ClassifierError, load_classifier
from saywhy_core.reading.ceilings import ceilings

class Network(torch.nn.Module):
    def forward(self, x):
        return x.mean((2, 3)) + LINE

with torch.no_grad():
    torch.export.save(torch.export.export(Network().eval(), (torch.rand(1, 3, 8, 8),)), sys.argv[1])
before = int(Path('/proc/self/status').read_text().partition('VmRSS:')[2].split()[0])
try:
    with ceilings(seconds=60):
        print(load_classifier("torch:" + sys.argv[1], scores="logits")(np.zeros((1, 8, 8, 3), np.float32)).shape)
except ClassifierError as error:
    print(error)
after = int(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])
assert resource.getrlimit(resource.RLIMIT_DATA)[0] == resource.RLIM_INFINITY
print(before, after - before)
"""


@linux
@pytest.mark.long
@pytest.mark.parametrize("line", LINES)
def test_no_kernel_takes_more_than_is_allowed(line, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", CODE.replace("LINE", LINES[line]), str(tmp_path / "m.pt2")], capture_output=True, text=True,
        timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) < 640 * 1024  # KiB
    assert "--ceiling array=" in done.stdout or done.stdout.startswith("(1, 3)"), done.stdout


@linux
@pytest.mark.parametrize(
    "take",
    [lambda: np.ones(80_000_000), lambda: torch.ones(160_000_000), lambda: bytearray(10**9), lambda: [0] * 100_000_000],
    ids=["numpy", "torch", "bytes", "list"],
)
def test_more_is_refused_and_told_and_afterwards_there_is_room_again(take):
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    said = r"^m needs more than 268,435,456 bytes of memory to sing, .*--ceiling array=1073741824$"
    with pytest.raises(CeilingError, match=said), room(2**28, "m", "sing"):
        take()
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert np.ones(40_000_000).sum() == 40_000_000


def test_other_errors_pass():
    with pytest.raises(KeyError), room(2**28, "m", "sing"):
        raise KeyError("x")


def test_a_batch_that_is_too_large_is_computed_in_parts():
    sizes = []

    def compute(batch):
        sizes.append(len(batch))
        if len(batch) > 3:
            raise CeilingError("too large")
        return batch * 2

    whole = np.arange(11).reshape(11, 1)
    parted = in_parts(compute)
    assert (parted(whole) == 2 * whole).all()
    assert (parted(whole) == 2 * whole).all()
    assert sizes == [11, 6, 3, 3, 3, 2, 3, 3, 3, 2]
    with pytest.raises(CeilingError, match="never"):
        in_parts(lambda batch: (_ for _ in ()).throw(CeilingError("never")))(whole)
