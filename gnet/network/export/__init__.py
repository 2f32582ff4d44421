"""Carries a network out: its architecture as JSON, the whole of it as ONNX or for torchvision."""
