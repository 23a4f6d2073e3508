"""A sync by Celery workers in other processes, some of which are killed, with RabbitMQ or Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from logto_auth.emulator import Application, Emulator, HttpFault
from tests.processes import child
from tests.servers import need

from .own_site import ROOT, OwnSite

celery = pytest.importorskip("celery")
redis = pytest.importorskip("redis")

RABBITMQ_URL = "amqp://guest:guest@127.0.0.1:5672//"
REDIS_URL = "redis://127.0.0.1:6379/13"

IS_LISTING = "SELECT count(*) FROM logto_auth_syncnote WHERE digest != ''"
IS_SYNCING = "SELECT count(*) FROM auth_user WHERE username LIKE 'new%'"
IS_FINISHING = "SELECT count(*) FROM logto_auth_syncrun WHERE position LIKE '%unlisted%' AND finished_at IS NULL"
HAS_ENDED = "SELECT count(*) > 1 AND count(*) = count(finished_at) FROM logto_auth_syncrun"


class Workers:
    """The Celery workers of a site."""

    def __init__(self, site: OwnSite, broker_url: str, folder: Path) -> None:
        self.site = site
        self._queue = f"logto_auth_{uuid.uuid4().hex}"
        self._environment = {**site.environment, "SYNC_BROKER_URL": broker_url, "SYNC_QUEUE": self._queue}
        self._log_path = folder / "log"
        self._app = celery.Celery(broker=broker_url, set_as_current=False)
        self._app.conf.update(task_default_queue=self._queue, broker_connection_retry_on_startup=True)
        if broker_url == REDIS_URL:
            self._app.conf.broker_transport_options = {"global_keyprefix": self._queue}

    def send_sync(self) -> None:
        self._app.send_task("logto_auth.sync", kwargs={"creates_users": True})

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        """Start a worker with two processes, and kill them all at the end."""
        options = ["worker", "--concurrency=2", "--without-gossip", "--without-mingle", "--loglevel=INFO"]
        command = [sys.executable, "-m", "celery", "-A", "tests.sync.celery_app", *options]
        with (
            self._log_path.open("a") as log,
            child(command, cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True) as worker,
        ):
            try:
                yield worker
            finally:
                os.killpg(worker.pid, signal.SIGKILL)

    @property
    def log(self) -> str:
        return self._log_path.read_text()

    def remove(self) -> None:
        """Remove the queue from the broker."""
        with self._app.connection_for_write() as connection, connection.channel() as channel:
            channel.queue_delete(self._queue)
        self._app.close()
        with redis.Redis.from_url(REDIS_URL) as server:
            for key in server.scan_iter(match=f"{self._queue}*"):
                server.delete(key)


def children_of(process: subprocess.Popen[str]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def workers_with(broker_url: str, logto: Emulator, machine: Application, folder: Path) -> Iterator[Workers]:
    """Yield workers of a site with 30 users, who have been deleted at Logto. 1,200 new users are there."""
    site = OwnSite(logto, machine, folder / "site.sqlite3")
    logto.tenant.add_role("reader")
    old = [logto.tenant.add_user(username=f"old{number}", roles=["reader"]).id for number in range(30)]
    site.run("logto_sync", "--create")
    for sub in old:
        logto.tenant.delete_user(sub)
    for number in range(1200):
        logto.tenant.add_user(username=f"new{number}", roles=["reader"])
    logto.faults.http["management_api"] = HttpFault(delay_seconds=0.05)
    workers = Workers(site, broker_url, folder)
    try:
        yield workers
    finally:
        print(workers.log)
        workers.remove()


@pytest.fixture
def rabbitmq_workers(logto: Emulator, machine: Application, tmp_path: Path) -> Iterator[Workers]:
    need("RabbitMQ", 5672)
    yield from workers_with(RABBITMQ_URL, logto, machine, tmp_path)


@pytest.fixture
def redis_workers(logto: Emulator, machine: Application, tmp_path: Path) -> Iterator[Workers]:
    need("Redis", 6379)
    yield from workers_with(REDIS_URL, logto, machine, tmp_path)


def expect_whole_sync(workers: Workers, logto: Emulator) -> None:
    """Check that there was one run, which has synced every user."""
    site = workers.site
    assert site.sql("SELECT count(*) FROM logto_auth_syncrun") == [(2,)], workers.log
    assert site.sql("SELECT count(*) FROM logto_auth_syncnote") == [(0,)]
    subs = {(sub, "active", '["reader"]') for sub in logto.tenant.users}
    identities = "SELECT sub, status, roles FROM logto_auth_logtoidentity i JOIN auth_user u ON u.id = i.user_id"
    assert set(site.sql(f"{identities} WHERE is_active")) == subs
    assert set(site.sql(f"{identities.replace('sub, ', '')} WHERE NOT is_active")) == {("deleted", '["reader"]')}


@pytest.mark.rabbitmq
def test_killed_workers_lose_no_user_with_rabbitmq(rabbitmq_workers: Workers, logto: Emulator) -> None:
    workers = rabbitmq_workers
    workers.send_sync()
    for query in (IS_LISTING, IS_SYNCING, IS_FINISHING):
        with workers.running():
            workers.site.wait_for(query)
    with workers.running():
        workers.site.wait_for(HAS_ENDED)
    expect_whole_sync(workers, logto)
    assert "had stopped at the stage 'roles'" in workers.log
    assert "are synced again" in workers.log
    assert "had stopped at the stage 'unlisted'" in workers.log


@pytest.mark.redis
def test_killed_worker_loses_no_user_with_redis(redis_workers: Workers, logto: Emulator) -> None:
    redis_workers.send_sync()
    with redis_workers.running():
        redis_workers.site.wait_for(IS_SYNCING)
    with redis_workers.running():
        redis_workers.site.wait_for(HAS_ENDED)
    expect_whole_sync(redis_workers, logto)
    assert "are synced again" in redis_workers.log


@pytest.mark.rabbitmq
def test_killed_child_processes_lose_no_user(rabbitmq_workers: Workers, logto: Emulator) -> None:
    workers = rabbitmq_workers
    workers.send_sync()
    with workers.running() as worker:
        for query in (IS_LISTING, IS_SYNCING, IS_FINISHING):
            workers.site.wait_for(query)
            for pid in children_of(worker):
                os.kill(pid, signal.SIGKILL)
        workers.site.wait_for(HAS_ENDED)
    expect_whole_sync(workers, logto)
    assert "WorkerLostError" in workers.log


@pytest.mark.rabbitmq
def test_simultaneous_syncs_are_one_run(rabbitmq_workers: Workers, logto: Emulator) -> None:
    workers = rabbitmq_workers
    workers.send_sync()
    workers.send_sync()
    with workers.running():
        workers.site.wait_for(IS_SYNCING)
        workers.send_sync()
        workers.site.wait_for(HAS_ENDED)
    expect_whole_sync(workers, logto)
    assert workers.log.count("is in progress") == 2
