"""The parts of `bert sweep`."""
