"""Celery workers: a run id in, a measurement out."""
