"""What a workspace knows, put together for a reader: these modules write nothing."""
