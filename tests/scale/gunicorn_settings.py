"""How gunicorn runs the small site: several processes, each with several threads, as `docs/how-to/deploy.md` has it."""

import os

wsgi_app = "django.core.wsgi:get_wsgi_application()"
bind = f"fd://{os.environ['SCALE_SOCKET']}"
workers = 4
worker_class = "gthread"
threads = int(os.environ["SCALE_THREADS"])
graceful_timeout = 1
# Saves each process the seconds in which it would import Django; a killed one is replaced at once.
preload_app = True
# A newer gunicorn opens a socket in the home directory, which a test has no business with.
control_socket_disable = True
