"""What this machine computes with, as far as it decides how a network is run. Needs Keras; asks its backend."""

from pathlib import Path

import keras


def has_accelerator() -> bool:
    """Whether the Keras backend uses a GPU or TPU."""
    if keras.backend.backend() == "torch":  # for which Keras 3.15 can't list the devices
        import torch  # type: ignore[import-not-found,unused-ignore]

        return bool(torch.cuda.is_available() or torch.backends.mps.is_available())
    return any(not device.startswith("cpu") for device in keras.distribution.list_devices())


def has_matrix_units() -> bool:
    """Whether the CPU multiplies bfloat16 matrices in hardware (Intel AMX); False where that can't be told."""
    return _cpu_can("amx_bf16")


def has_bfloat16() -> bool:
    """Whether the CPU has any instruction that multiplies bfloat16 (AMX, AVX-512); False where that can't be told."""
    return has_matrix_units() or _cpu_can("avx512_bf16")


def _cpu_can(flag: str) -> bool:
    flags = Path("/proc/cpuinfo")
    return flags.exists() and flag in flags.read_text(encoding="utf-8", errors="replace").split()
