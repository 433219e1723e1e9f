"""Every form and endpoint against one collection of bad input: a clear refusal, nothing half-saved, never a 500."""
