"""The causal transformer: trained by torch, served by ONNX Runtime."""
