"""The physics: numbers, arrays and generators in, named results out."""
