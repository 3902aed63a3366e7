"""Phantoms: drawings of dog pelvises with known angles, not radiographs of real dogs."""
