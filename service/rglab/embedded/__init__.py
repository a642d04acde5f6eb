"""The real servers out of wheels: Postgres 18 and Valkey 9, under a data directory."""
