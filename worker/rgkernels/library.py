"""A built library: checked before anything of it runs, then its functions."""

from __future__ import annotations

import ctypes
import platform
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from rgkernels.compiler import source_digest
from rgkernels.errors import UnusableError
from rgkernels.instructions import usable


class Shape(ctypes.Structure):
    """`rg_shape`."""

    _fields_ = [
        *(
            (name, ctypes.c_int32)
            for name in (
                "n_states",
                "seq_len",
                "batch_size",
                "context",
                "depth",
                "width",
                "hidden",
                "norm",
                "activation",
            )
        ),
        ("residual_scale", ctypes.c_float),
        ("norm_eps", ctypes.c_float),
    ]


class Place(ctypes.Structure):
    """`rg_place`."""

    _fields_ = [(name, ctypes.c_int64) for name in ("offset", "rows", "columns", "row")]


class Batch(ctypes.Structure):
    """`rg_batch`."""

    _fields_ = [(name, ctypes.c_void_p) for name in ("inputs", "tokens", "mask")]


class Update(ctypes.Structure):
    """`rg_update`."""

    _fields_ = [
        ("rule", ctypes.c_int32),
        ("number", ctypes.c_int32),
        *(
            (name, ctypes.c_double)
            for name in (
                "rate",
                "decay",
                "clip",
                "momentum",
                "beta_mean",
                "beta_square",
                "adam_eps",
                "clip_eps",
            )
        ),
    ]


FUNCTIONS = {
    "rg_new": (ctypes.c_void_p, [ctypes.POINTER(Shape)]),
    "rg_free": (None, [ctypes.c_void_p]),
    "rg_place_of": (Place, [ctypes.c_void_p, ctypes.c_int, ctypes.c_long]),
    "rg_weights": (ctypes.POINTER(ctypes.c_float), [ctypes.c_void_p]),
    "rg_gradient": (ctypes.POINTER(ctypes.c_float), [ctypes.c_void_p]),
    "rg_size": (ctypes.c_long, [ctypes.c_void_p]),
    "rg_differentiate": (ctypes.c_double, [ctypes.c_void_p, ctypes.POINTER(Batch)]),
    "rg_step": (
        ctypes.c_double,
        [ctypes.c_void_p, ctypes.POINTER(Batch), ctypes.POINTER(Update)],
    ),
}
"""Name -> what it returns and takes; see `source/kernel.c`."""


@dataclass(frozen=True)
class Library:
    """Kernels that may be called.

    Attributes:
        functions: those of `FUNCTIONS`.
        source: digest of the source that they were built from.
        instructions: which they use.
        compiler: its version.
    """

    functions: ctypes.CDLL
    source: str
    instructions: str
    compiler: str

    def __str__(self) -> str:
        return f"{self.instructions}, source {self.source}, compiler {self.compiler}"


def digest_of(content: bytes) -> str:
    """What the last part of a library's name must be."""
    return sha256(content).hexdigest()[:32]


def load(path: Path) -> Library:
    """A library as it was built, for this source and for instructions of this machine.

    What it says of itself is read as data: none of its code runs before.

    Raises:
        UnusableError: it is not; what to do stands there.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnusableError(f"{path} cannot be read: {error.strerror}") from None
    if path.stem.rpartition("-")[2] != digest_of(content):  # loaded, a cut one can kill us
        raise UnusableError(f"{path} was cut or changed after it was built; delete it")
    try:
        functions = ctypes.CDLL(str(path))
        about = ctypes.string_at(ctypes.addressof(ctypes.c_char.in_dll(functions, "rg_about")))
    except (OSError, ValueError) as error:
        raise UnusableError(f"{path} is no library of these kernels: {error}") from None
    words = about.decode(errors="replace").split(" ", 3)
    if words[0] != "rgkernels" or len(words) < 4:
        raise UnusableError(f"{path} is no library of these kernels; delete it")
    _, source, instructions, compiler = words
    if source != source_digest():
        raise UnusableError(
            f"{path} was built from source {source} and this is {source_digest()}; delete it"
        )
    names = [one.name for one in usable()]
    if instructions not in names:
        raise UnusableError(
            f"{path} is for {instructions} and this {platform.machine()} has {', '.join(names)}; "
            "delete it"
        )
    for name, (returns, takes) in FUNCTIONS.items():
        function = getattr(functions, name)
        function.restype, function.argtypes = returns, takes
    return Library(functions, source, instructions, compiler)
