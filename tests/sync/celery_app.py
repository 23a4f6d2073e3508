"""The Celery app of the site in `site_settings`."""

import os

import django
from celery import Celery

django.setup()

from logto_auth.contrib import celery as tasks  # noqa: E402

# Many tasks for few users.
tasks.PAGES_PER_TASK = 1

app = Celery("site", broker=os.environ["SYNC_BROKER_URL"])
app.conf.update(
    task_default_queue=os.environ["SYNC_QUEUE"],
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
)
if os.environ["SYNC_BROKER_URL"].startswith("redis"):
    # A message that no worker has acknowledged for so many seconds is delivered again. Workers look for such messages
    # when they start, and rarely after that.
    app.conf.broker_transport_options = {"global_keyprefix": os.environ["SYNC_QUEUE"], "visibility_timeout": 0.5}
