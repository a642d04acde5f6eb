"""What can be wrong with a chain that is asked for."""

from __future__ import annotations

from rgcore.errors import ParameterError


class ChainError(ParameterError):
    """No such chain: a family, a parameter or a value that does not exist."""
