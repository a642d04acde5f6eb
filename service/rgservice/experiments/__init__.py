"""Experiments: submitted, priced, listed, read, steered."""
