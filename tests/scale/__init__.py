"""Tests against a real deployment: gunicorn with several processes, PostgreSQL and Redis, over HTTP."""
