"""Each module is one fault or attack: it has a `SCENARIO`, and is run for being here."""
