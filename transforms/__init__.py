"""What the pipeline does: one PTransform a stage, thin, over record batches."""
