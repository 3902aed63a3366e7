"""Drawn pelvises with known angles (phantoms): no radiograph of a real dog."""
