import pickle
from typing import Any

import pytest

from rgcore.measurement import LEVELS_OF, LevelError, full_context
from rgcore.measurement.levels import ROWS_OF, checked_levels
from rgcore.network import MIXINGS


def positions(arch: Any) -> Any:
    return list(range(arch.seq_len)[full_context(arch)])


def test_every_mixing_has_levels() -> None:
    assert set(LEVELS_OF) == set(MIXINGS)


def test_every_level_has_rows() -> None:
    assert set(ROWS_OF) == {level for levels in LEVELS_OF.values() for level in levels}


@pytest.mark.parametrize(
    ("mixing", "changes", "expected"),
    [
        ("context", {"context": 2}, [2, 3, 4, 5]),
        ("context", {"context": 0}, list(range(8))),
        ("context", {"context": 4}, []),
        ("mixer", {"depth": 3}, list(range(8))),
        ("window", {"depth": 3}, [3, 4]),
        ("window", {"depth": 4}, list(range(8))),  # none has its view inside: all
    ],
)
def test_full_context_is_where_the_view_is_inside(
    network_of: Any, mixing: str, changes: Any, expected: Any
) -> None:
    assert positions(network_of(mixing, **changes).arch) == expected


def test_levels_that_do_not_exist_are_refused() -> None:
    with pytest.raises(LevelError, match="allowed: position, token, masked, pooled"):
        checked_levels("mixer", ["token", "sequence"])


def test_error_survives_pickling() -> None:
    error = LevelError("flat", "token", ("sequence",))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
