"""One module of routes per part of the API; each route is one call."""
