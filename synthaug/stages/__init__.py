"""The steps of the workflow, one module each; they exchange data only through the store."""
