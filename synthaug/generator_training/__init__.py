"""Training and fine-tuning of generators; :mod:`synthaug.generators` generates images with them."""
