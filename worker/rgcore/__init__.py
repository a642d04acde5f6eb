"""The physics: chains, networks, training, observables, statistics. Numbers in, results out."""
