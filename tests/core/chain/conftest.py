from typing import Any

import pytest

from rgcore.chain import make_chain

EXAMPLES: dict[str, dict[str, Any]] = {
    "potts": {"family": "potts", "n_states": 6, "corr_len": 3.0},
    "ring within reach": {"family": "ring", "n_states": 6, "corr_len": 9.0},
    "ring below reach": {"family": "ring", "n_states": 6, "corr_len": 1.0},
    "random_reversible": {"family": "random_reversible", "n_states": 6, "corr_len": 3.0, "seed": 3},
    "hierarchical": {"family": "hierarchical", "n_states": 8, "corr_len": 6.0},
    "hierarchical, finest scale forgotten": {"family": "hierarchical", "scales": (0.0, 2.0)},
    "spectrum": {"family": "spectrum", "eigenvalues": (0.5, 0.2, -0.1, 0.05)},
    # a drift around a ring
    "explicit, not reversible": {
        "family": "explicit",
        "matrix": [[0.25, 0.75, 0.0], [0.0, 0.25, 0.75], [0.75, 0.0, 0.25]],
    },
    # 0 <-> 1 <-> 2, stays only at the ends
    "explicit, reversible": {
        "family": "explicit",
        "matrix": [[0.5, 0.5, 0.0], [0.25, 0.0, 0.75], [0.0, 0.5, 0.5]],
    },
    "explicit, uneven": {
        "family": "explicit",
        "matrix": [[0.9, 0.1, 0.0], [0.0, 0.5, 0.5], [0.3, 0.0, 0.7]],
    },
}
WITH_A_DIRECTION = ("explicit, not reversible", "explicit, uneven")


@pytest.fixture(params=EXAMPLES.values(), ids=list(EXAMPLES))
def example(request: pytest.FixtureRequest) -> Any:
    """A chain of each family, and of each case within one."""
    return make_chain(**request.param)


@pytest.fixture(params=[name for name in EXAMPLES if name not in WITH_A_DIRECTION])
def reversible_example(request: pytest.FixtureRequest) -> Any:
    """The same, without the chains whose sequences look different backwards."""
    return make_chain(**EXAMPLES[request.param])
