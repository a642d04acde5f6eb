"""Storing and serving, with a lab's history in the database: latencies and ceilings."""
