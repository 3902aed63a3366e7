"""Claims of speed, each measured beside the peers that it names: ``python -m benchmarks.peers``, or one file a claim."""
