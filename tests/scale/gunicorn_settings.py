"""Gunicorn for the small site: several processes with several threads each, as in `docs/how-to/deploy.md`."""

import os

wsgi_app = "django.core.wsgi:get_wsgi_application()"
bind = f"fd://{os.environ['SCALE_SOCKET']}"
workers = 4
threads = int(os.environ["SCALE_THREADS"])
worker_class = "gthread" if threads > 1 else "sync"
graceful_timeout = 1
# Django is imported once, so that a killed process is replaced at once.
preload_app = True
# A newer gunicorn would open a socket in the home directory.
control_socket_disable = True
