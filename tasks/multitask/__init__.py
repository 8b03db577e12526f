"""Several tasks with one encoder."""
