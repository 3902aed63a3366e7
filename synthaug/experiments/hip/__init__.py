"""The dog-hip experiment: phantoms, angles, readers and their figures."""
