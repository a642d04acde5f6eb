from __future__ import annotations

from typing import Any

import pytest

from rgcore.measurement import KERNELS, KernelError
from rgcore.measurement.kernels import checked_kernel


def test_a_kernel_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(KernelError) as caught:
        checked_kernel("rbf")
    assert (caught.value.field, caught.value.allowed) == ("kernel", "linear")


def test_a_measurement_is_by_a_kernel_that_exists(measured: Any, network_of: Any) -> None:
    network = network_of("context")
    by_name = {kernel: measured(network, kernel=kernel) for kernel in KERNELS}
    assert by_name["linear"].loss == measured(network).loss
    with pytest.raises(KernelError):
        measured(network, kernel="rbf")
