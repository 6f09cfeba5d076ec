"""The comparison of attacks: results that are kept, tables that count right, and the white-box reference."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.attacks import keeping, tables
from benchmarks.attacks.contenders import OURS, PARTS, PRECISE, REFERENCE, STEPS, is_peer, names
from benchmarks.attacks.networks import SIGNS, Set


def row(attack, position, distance, budget=100, seed=0, part="l0", survives=True):
    return {
        "part": part, "network": "net", "attack": attack, "seed": seed, "position": position, "budget": budget,
        "distance": distance, "queries": budget, "survives": survives, "code": "",
    }  # fmt: skip


def test_results_are_kept_and_a_line_that_was_cut_off_is_passed_over(tmp_path):
    file = tmp_path / "kept.jsonl"
    kept = keeping.Kept(file)
    kept.add([row("Square", 0, 2.0), row("Square", 1, None)])
    with file.open("a") as out:
        out.write(json.dumps(row("Square", 2, 1.0))[:40])
    again = keeping.Kept(file)
    assert again.rows == kept.rows
    task = keeping.Task(tmp_path, "l0", "net", "Square", 0, 1, (100, 300))
    assert [one.budgets for one in again.missing([task])] == [(300,)]
    assert not again.missing([keeping.Task(tmp_path, "l0", "net", "Square", 0, 0, (100,))])
    reference = keeping.Task(tmp_path, "l0", "net", REFERENCE, 0, 0, ())
    assert [one.budgets for one in again.missing([reference])] == [(STEPS,)]  # whatever the budgets of the others


def test_a_run_ends_when_its_time_is_over(tmp_path):
    tasks = [keeping.Task(tmp_path, "l0", SIGNS, "Sparse-RS", 0, place, (20,)) for place in range(3)]
    assert keeping.run(keeping.Kept(), tasks, jobs=1, seconds=-1.0) == 3
    kept = keeping.Kept()
    assert keeping.run(kept, tasks, jobs=1, seconds=100.0) == 0
    assert len(kept.rows) == 3
    assert all(one["queries"] <= 20 for one in kept.rows.values())
    assert kept.older() == 0


def test_means_medians_and_ratios_by_hand():
    values = np.array([1.0, 3.0, np.inf, np.nan])
    assert tables.middle(values) == (2.0, 3.0)  # a failure is the largest; what was not measured is left out
    assert tables.middle(np.array([1.0, np.inf])) == (1.0, np.inf)
    assert tables.shared_mean(values, np.array([2.0, 2.0, 2.0, 2.0])) == 1.0
    assert tables.worst_ratio(np.array([1.0, 6.0]), np.array([2.0, 4.0])) == 1.5
    assert tables.worst_ratio(np.array([1.0, np.inf]), np.array([2.0, 4.0])) == np.inf


def test_a_table_says_success_ratio_survivors_and_broken_monotony(capsys):
    kept = keeping.Kept()
    kept.add([row(OURS, 0, 2), row(OURS, 2, 4, survives=False), row(OURS, 0, 3, 300), row(OURS, 2, 4, 300)])
    kept.add([row("Sparse-RS", 0, 4), row("Sparse-RS", 2, None, survives=None), row(REFERENCE, 0, 1, STEPS)])
    tables.show(kept, "l0", "net", "even", (100, 300), [(0, 0), (0, 2)])
    text = capsys.readouterr().out
    lines = {line.split("  ")[1].strip(): line for line in text.splitlines() if line.startswith("  ") and "  " in line[2:]}
    assert "2 images, 1 seeds" in text
    assert lines["Sparse-RS"].split()[1:] == ["1/2", "4.00", "inf", "2.00", "1/1"]
    assert "1/1, mean 1.00" in text  # the reference
    assert "worse result 1 times of 2" in text
    assert "mean 0.75 of the best peer's (Sparse-RS 4.00)" in text


def test_halves_are_apart_and_the_signs_were_all_tuned_on():
    data = Set("net", len, np.zeros((5, 2, 2, 1)), np.arange(5), np.arange(5), np.arange(5))
    assert data.half("even").labels.tolist() == [0, 2, 4]
    assert data.half("odd").first(1).labels.tolist() == [1]
    demo = Set(SIGNS, len, np.zeros((5, 2, 2, 1)), np.arange(5), np.arange(5), np.arange(5))
    assert (len(demo.half("even").labels), len(demo.half("odd").labels)) == (5, 0)


def test_every_part_has_this_attack_and_peers():
    for part in PARTS:
        assert names(part)[0] == OURS
        assert sum(map(is_peer, names(part))) >= 2
    assert REFERENCE in names("l0")
    assert PRECISE in names("linf")


@pytest.mark.parametrize("target", [None, 1])
def test_the_white_box_finds_the_fewest_pixels_of_a_linear_classifier(target):
    torch = pytest.importorskip("torch")
    from benchmarks.peers.recorder import Recorder
    from benchmarks.peers.sigma_zero import sigma_zero

    weights = torch.from_numpy(np.random.default_rng(3).normal(size=(6, 5, 2)))

    def scores(images):
        rise = ((images - 0.5) * weights).sum(dim=(1, 2, 3))
        return torch.stack([torch.zeros_like(rise), rise - 3.0], dim=1)

    record = Recorder(
        lambda images: scores(torch.from_numpy(images.astype(np.float64))).numpy(), np.full((6, 5, 2), 0.5, np.float32), 0,
        target, 300, "l0",
    )  # fmt: skip
    sigma_zero(record, 0, scores)
    gains = np.sort(0.5 * np.abs(weights.numpy()).sum(axis=-1).ravel())[::-1]
    fewest = int(np.searchsorted(np.cumsum(gains), 3.0)) + 1
    assert fewest <= record.distance <= fewest + 2
    assert record.queries == 300
