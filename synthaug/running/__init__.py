"""Running long work: the job queue, its worker, and what it runs on."""
