"""Whether there is a device to train on, asked before anything is read."""

from __future__ import annotations


def missing_device(device: str) -> str | None:
    """Why nothing can be trained on `device`, as PyTorch calls it; None when it can. Imports torch but for "cpu"."""
    if device == "cpu":
        return None
    try:
        import torch

        torch.ones(1, device=device).item()
    except (ImportError, RuntimeError, AssertionError) as error:
        return str(error).partition("\n")[0].rstrip(".")
    return None
