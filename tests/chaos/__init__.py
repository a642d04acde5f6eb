"""Faults and attacks on a real lab, a file for each in `scenarios/`, and a ledger of what held."""
