"""What `make mutants` is made of: sites, sample, tests of a line, trial, report."""
