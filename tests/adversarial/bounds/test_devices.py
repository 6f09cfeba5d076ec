"""Where proofs are computed: names of devices and devices of torch, and what is none."""

from __future__ import annotations

import pytest
import torch

from adversarial.bounds.computing import check_device, computing
from saywhy_core.errors import UsageError


@pytest.mark.parametrize("device", [None, "cpu", "cpu:0", torch.device("cpu")])
def test_the_processor_is_a_device(device):
    check_device(device)
    with computing(device, 1):
        assert torch.get_num_threads() == 1


@pytest.mark.parametrize("device", ["cpu:7", torch.device("cpu:7"), "nonsense", "xla", "vulkan", "meta", "", 0])
def test_what_is_no_device_for_proofs_is_refused_in_one_short_sentence(device):
    with pytest.raises(UsageError) as raised:
        check_device(device)
    said = str(raised.value)
    assert "device" in said
    assert len(said) < 220
    assert "backend" not in said.lower()
