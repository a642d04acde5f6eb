"""The instruction sets that the kernels are built for, and the one that this machine has."""

from __future__ import annotations

import platform
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Instructions:
    """A set of vector instructions.

    Attributes:
        name: as attempts tell it.
        lanes: floats in a vector.
        machines: where it exists, in the words of `platform.machine`.
        flags: that make a compiler use it.
        capability: what torch calls a processor that has it, or None where every one has.
    """

    name: str
    lanes: int
    machines: frozenset[str]
    flags: tuple[str, ...]
    capability: str | None = None


X86 = frozenset({"x86_64", "AMD64"})
ARM = frozenset({"aarch64", "arm64"})
AVX2 = ("-mavx2", "-mfma")

INSTRUCTIONS = (
    Instructions(
        "avx512",
        16,
        X86,
        # without the last, gcc keeps to half of each register
        (
            *AVX2,
            *(f"-mavx512{part}" for part in ("f", "bw", "dq", "vl")),
            "-mprefer-vector-width=512",
        ),
        "AVX512",
    ),
    Instructions("avx2", 8, X86, AVX2, "AVX2"),
    Instructions("sse2", 4, X86, ()),
    Instructions("neon", 4, ARM, ()),
)
"""The widest first."""
CAPABILITIES = ("DEFAULT", "AVX2", "AVX512")
"""Torch's words for x86 processors; each has what those before it have."""


def usable(machine: str | None = None, capability: str | None = None) -> list[Instructions]:
    """Those of a machine, the widest first.

    Args:
        machine: in the words of `platform.machine`; by default this one.
        capability: of its processor, in torch's words; torch also asks whether the operating system
            saves the registers.
    """
    machine = machine or platform.machine()
    capability = capability or torch.backends.cpu.get_cpu_capability()
    known = CAPABILITIES.index(capability) if capability in CAPABILITIES else 0
    return [
        one
        for one in INSTRUCTIONS
        if machine in one.machines
        and (one.capability is None or CAPABILITIES.index(one.capability) <= known)
    ]
