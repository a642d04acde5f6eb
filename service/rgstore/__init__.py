"""What the service and the workers share: tables, queries, settings, the Celery application."""
