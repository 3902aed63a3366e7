"""Classifiers: their networks, recipes and training loop; they are saved as safetensors."""
