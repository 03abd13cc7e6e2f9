"""The wire protocols of the three Personalize APIs, compiled from botocore's own service models."""
