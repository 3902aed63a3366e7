"""Classifiers: networks, recipes, one training loop; saved as safetensors."""
