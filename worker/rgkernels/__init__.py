"""Training by kernels that are compiled where they run: optional, torch without them."""

from rgkernels.backend import Native
from rgkernels.cache import cached_library
from rgkernels.errors import UnusableError

__all__ = ["Native", "UnusableError", "native"]


def native() -> Native:
    """The kernels of this machine, built if need be.

    Raises:
        UnusableError: there are none.
    """
    return Native(cached_library())
