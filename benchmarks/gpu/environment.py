"""Stage `environment`: the machine, its versions, and how it rounds products."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

from benchmarks.gpu import ROOT
from benchmarks.gpu.part import Part
from benchmarks.gpu.setting import CPU, Setting
from benchmarks.machine import this_machine
from rgcore.random import derive_generator

PACKAGES = ("numpy", "scipy", "pytest", "jax")
SETTINGS = ("CUDA_", "CUBLAS_", "NVIDIA_TF32", "TORCH_ALLOW_TF32", "PYTORCH_")
"""Beginnings of the environment variables that change what a GPU computes or how fast."""
SIZE = 256
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-13}
"""Largest error of a product of 256 x 256, over the largest entry; TF32 would leave 1e-3."""


def run(setting: Setting, part: Part) -> None:
    """Facts about the machine, and a row for each precision."""
    part.set(
        machine=asdict(this_machine()),
        python=platform.python_version(),
        system=platform.platform(),
        packages={"torch": torch.__version__, **{name: _version(name) for name in PACKAGES}},
        commit=_said("git", "-C", str(ROOT), "rev-parse", "HEAD"),
        variables={
            name: value for name, value in sorted(os.environ.items()) if name.startswith(SETTINGS)
        },
        flags=_flags(),
        device=_device(setting.device),
    )
    for dtype, tolerance in TOLERANCE.items():
        error = _product_error(setting.device, dtype)
        part.add(
            what=f"{str(dtype).removeprefix('torch.')} product, {SIZE} x {SIZE}",
            error=error,
            tolerance=tolerance,
            agree=error <= tolerance,
        )


def _device(device: torch.device) -> dict[str, Any]:
    if device.type != "cuda":
        return {"kind": device.type}
    free, total = torch.cuda.mem_get_info(device)
    known = torch.cuda.get_device_properties(device)
    query = ("--query-gpu=driver_version,clocks.max.sm,power.limit", "--format=csv,noheader")
    return {
        "kind": device.type,
        "name": known.name,
        "capability": f"{known.major}.{known.minor}",
        "processors": known.multi_processor_count,
        "memory_bytes": total,
        "free_bytes": free,
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
        "driver_clock_power": _said("nvidia-smi", *query),
    }


def _flags() -> dict[str, Any]:
    return {
        "matmul_allow_tf32": torch.backends.cuda.matmul.allow_tf32,
        "cudnn_allow_tf32": torch.backends.cudnn.allow_tf32,
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "threads": torch.get_num_threads(),
    }


def _product_error(device: torch.device, dtype: torch.dtype) -> float:
    """Largest error of a product on the device against float64 on the CPU."""
    generator = derive_generator(0, "gpu product")
    one, other = torch.randn(2, SIZE, SIZE, generator=generator, device=CPU).to(dtype)
    found = (one.to(device) @ other.to(device)).to(CPU, torch.float64)
    exact = one.double() @ other.double()
    return float((found - exact).abs().max() / exact.abs().max())


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _said(command: str, *arguments: str) -> str | None:
    """What a command prints; None where there is no such command, or it fails."""
    found = shutil.which(command)
    if found is None:
        return None
    ran = subprocess.run(  # noqa: S603
        [found, *arguments], capture_output=True, text=True, check=False, timeout=20
    )
    return ran.stdout.strip() if ran.returncode == 0 else None
