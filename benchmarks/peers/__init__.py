"""Claims of speed beside the peers that they name: ``python -m benchmarks.peers``, or one file a claim."""
