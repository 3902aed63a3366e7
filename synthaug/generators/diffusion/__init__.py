"""Text-to-image generation with any diffusers pipeline: loading, batching and the differences between pipelines."""
