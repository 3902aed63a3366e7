"""Any diffusers pipeline that reads prompts: loading, batches, the differences between pipelines."""
