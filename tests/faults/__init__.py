"""Faults, injected from outside the processes of a whole installation: `make faults`."""
