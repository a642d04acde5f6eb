import pickle
from typing import Any

import pytest

from rgcore.network import MIXINGS, ArchitectureError


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mixing", "attention"),
        ("activation", "sigmoid"),
        ("norm", "batch"),
        ("n_states", 0),
        ("seq_len", 0),
        ("context", -1),
        ("depth", 0),
        ("width", 0),
        ("hidden_ratio", 0.0),
        ("residual_scale", -1.0),
        ("init_scale", float("nan")),
    ],
)
def test_impossible_architectures_are_refused_by_field(
    make_arch: Any, field: str, value: Any
) -> None:
    with pytest.raises(ArchitectureError) as caught:
        make_arch(**({"mixing": "context"} | {field: value}))
    assert caught.value.field == field
    assert caught.value.allowed in str(caught.value)


def test_error_survives_the_trip_between_processes() -> None:
    error = pickle.loads(pickle.dumps(ArchitectureError("width", 0, "1 or more")))
    assert (error.field, error.value, error.allowed) == ("width", 0, "1 or more")


@pytest.mark.parametrize(
    ("mixing", "radius"), [("context", 2), ("flat", None), ("mixer", None), ("window", 3)]
)
def test_view_radius_is_the_context_or_the_depth_or_everything(
    make_arch: Any, mixing: str, radius: Any
) -> None:
    assert make_arch(mixing, context=2, depth=3).view_radius == radius


@pytest.mark.parametrize("mixing", MIXINGS)
def test_mask_and_padding_come_after_the_states(make_arch: Any, mixing: Any) -> None:
    arch = make_arch(mixing, n_states=7)
    assert (arch.mask_id, arch.padding_id, arch.n_ids) == (7, 8, 9)


@pytest.mark.parametrize(("ratio", "hidden"), [(4.0, 40), (0.26, 3), (0.01, 1)])
def test_hidden_units_are_the_rounded_ratio_and_at_least_one(
    make_arch: Any, ratio: float, hidden: int
) -> None:
    assert make_arch("context", width=10, hidden_ratio=ratio).hidden == hidden


@pytest.mark.parametrize(("ratio", "hidden"), [(4.0, 40), (0.26, 3), (0.01, 1)])
def test_token_mixing_has_the_same_ratio_over_the_positions(
    make_arch: Any, ratio: float, hidden: int
) -> None:
    assert make_arch("mixer", seq_len=10, hidden_ratio=ratio).token_hidden == hidden
