"""Proofs with real parts: gunicorn with several processes, PostgreSQL, Redis, and HTTP between all of them."""
