"""The operator's: command line, embedded servers, demo. Users of all the other packages."""
