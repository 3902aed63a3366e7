"""The way of the data, one verb a file. Stages meet only through the store."""
