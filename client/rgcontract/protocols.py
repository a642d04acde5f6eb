"""Who can measure a spec: releases differ in what they read, how they train, how they measure."""

from __future__ import annotations

from dataclasses import dataclass

from rgcontract.identity import PROTOCOL, TRAINING_PROTOCOL
from rgcontract.spec import SCHEMA


@dataclass(frozen=True)
class Protocols:
    """What a worker implements, or what measuring an experiment takes.

    A worker measures the experiments of its own two protocols whose spec it reads. Numbers of two
    protocols are never averaged.
    """

    spec_schema: int
    """Newest form of a spec that is read; the form that a spec has."""
    training_protocol: int
    """How the weights come about."""
    protocol: int
    """How numbers are read off them."""

    def __str__(self) -> str:
        """As people read it."""
        return (
            f"measurement protocol {self.protocol}, training protocol {self.training_protocol} "
            f"and spec schema {self.spec_schema}"
        )


IMPLEMENTED = Protocols(spec_schema=SCHEMA, training_protocol=TRAINING_PROTOCOL, protocol=PROTOCOL)
"""What this code reads, trains and measures."""
