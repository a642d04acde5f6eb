"""What must always hold of a lab's database, and the rows that break it."""

from rgstore.invariants.invariant import Breach, Invariant, Scope
from rgstore.invariants.registry import INVARIANTS

__all__ = ["INVARIANTS", "Breach", "Invariant", "Scope"]
