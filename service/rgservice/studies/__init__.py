"""Studies: grids of experiments, and the verdicts on the claims."""
