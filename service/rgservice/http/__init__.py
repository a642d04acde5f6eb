"""What all routes share: bodies, queries, identity, pages, refusals, the description."""
