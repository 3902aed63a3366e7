"""Running jobs: the queue, the process that runs it, and the description of the environment."""
