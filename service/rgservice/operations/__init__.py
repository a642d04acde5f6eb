"""The server itself: probes, numbers, landing page, its own description."""
