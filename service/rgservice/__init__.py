"""The lab's server: API, web page, operator command line, embedded Postgres and Valkey."""
