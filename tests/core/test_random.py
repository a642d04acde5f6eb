from typing import Any

import torch

from rgcore.random import derive_generator


def draw(seed: Any, stream: Any) -> Any:
    return torch.rand(8, generator=derive_generator(seed, stream))


def test_same_seed_and_stream_give_the_same_numbers() -> None:
    assert torch.equal(draw(3, "data"), draw(3, "data"))


def test_seeds_and_streams_all_differ() -> None:
    drawn = {
        tuple(draw(seed, stream).tolist())
        for seed in range(200)
        for stream in ("init", "data", "measure")
    }
    assert len(drawn) == 600


def test_seed_and_stream_do_not_run_together() -> None:
    assert not torch.equal(draw(1, "2:x"), draw(12, ":x"))


def test_negative_and_huge_seeds_are_seeds() -> None:
    assert not torch.equal(draw(-1, "init"), draw(2**80, "init"))


def test_numbers_are_pinned_so_that_old_results_stay_reproducible() -> None:
    assert derive_generator(0, "data").initial_seed() == 0xF5928D15


def test_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    draw(0, "data")
    assert torch.equal(torch.get_rng_state(), before)
