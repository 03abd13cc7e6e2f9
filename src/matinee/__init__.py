"""Matinee: an open, self-hosted recommender that speaks Amazon Personalize's API."""

import os
from importlib.metadata import version

# ONNX Runtime from 1.31 on reports its use to its maker unless told not to, from the moment it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = version("matinee")
