"""A sync with Celery. Its tasks run here one after the other, as on one worker, without a result backend."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import F
from django.db.models.signals import post_init

from logto_auth.clients import management_api
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity, SyncNote, SyncPart, SyncRun, UserStatus
from logto_auth.sync import Report, apply, notes, runs

celery = pytest.importorskip("celery")
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine")]
User = get_user_model()


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    app = celery.Celery("tests", set_as_current=True)
    app.conf.update(task_always_eager=True, task_eager_propagates=True)
    from logto_auth.contrib import celery as tasks

    monkeypatch.setattr(tasks, "PAGES_PER_TASK", 1)
    yield tasks
    app.close()


@pytest.fixture
def stopped_run(logto: Emulator, tasks: Any, monkeypatch: pytest.MonkeyPatch) -> SyncRun:
    """Return a run of 250 users, 100 of them synced, whose worker was killed and whose messages were lost."""
    for number in range(250):
        logto.tenant.add_user(username=f"reader{number}")
    with monkeypatch.context() as patch:
        patch.setattr(tasks.sync_pages, "delay", lambda *_: None)
        tasks.sync.delay(creates_users=True)
    run = SyncRun.objects.get()
    tasks.sync_pages(SyncPart.objects.earliest("pk").pk)
    assert User.objects.count() == 100
    return run


def let_pass(**time: float) -> None:
    """Let the runs be older by this time."""
    by = timedelta(**time)
    SyncRun.objects.update(started_at=F("started_at") - by, active_at=F("active_at") - by.total_seconds())


def expect_all_synced() -> None:
    assert User.objects.count() == 250
    assert SyncRun.objects.filter(finished_at=None).count() == 0
    assert SyncNote.objects.count() == SyncPart.objects.count() == 0


def test_workers_sync_all_pages_and_finish(logto: Emulator, tasks: Any) -> None:
    logto.tenant.add_role("reader")
    subs = [logto.tenant.add_user(username=f"reader{number}", roles=["reader"]).id for number in range(250)]
    tasks.sync.delay(creates_users=True)
    assert {tuple(roles) for roles in LogtoIdentity.objects.values_list("roles", flat=True)} == {("reader",)}
    logto.tenant.delete_user(subs[7])
    tasks.sync.delay()
    assert LogtoIdentity.objects.get(sub=subs[7]).status == UserStatus.DELETED
    expect_all_synced()


def test_finish_logs_the_counts_of_all_tasks(logto: Emulator, tasks: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "logto_auth")
    for number in range(150):
        logto.tenant.add_user(username=f"reader{number}")
    tasks.sync.delay(creates_users=True)
    assert caplog.messages == ["logto_sync: created: 150"]


def test_tenant_without_users_is_synced(tasks: Any) -> None:
    tasks.sync.delay()
    assert SyncRun.objects.get().finished_at is not None


def test_second_sync_ends_at_once(
    logto: Emulator, tasks: Any, stopped_run: SyncRun, caplog: pytest.LogCaptureFixture
) -> None:
    logto.requests.clear()
    tasks.sync.delay(creates_users=True)
    assert "is in progress" in caplog.text
    assert len(logto.requests) == 0
    assert User.objects.count() == 100


def test_sync_started_at_the_same_moment_ends_at_once(tasks: Any, caplog: pytest.LogCaptureFixture) -> None:
    def start_another_one(**_: Any) -> None:
        post_init.disconnect(start_another_one, sender=SyncRun)
        runs.start_or_resume(holder="another task")

    post_init.connect(start_another_one, sender=SyncRun)
    tasks.sync.delay()
    assert "is in progress" in caplog.text
    assert SyncRun.objects.get().holder == "another task"


def test_next_sync_finishes_a_stopped_run(tasks: Any, stopped_run: SyncRun, caplog: pytest.LogCaptureFixture) -> None:
    let_pass(hours=1)
    tasks.sync.delay(creates_users=True)
    assert "had stopped" in caplog.text
    expect_all_synced()
    assert SyncRun.objects.get() == stopped_run


def test_next_day_a_new_run_replaces_a_stopped_run(
    tasks: Any, stopped_run: SyncRun, caplog: pytest.LogCaptureFixture
) -> None:
    let_pass(days=1)
    tasks.sync.delay(creates_users=True)
    assert "had stopped" in caplog.text
    expect_all_synced()
    assert SyncRun.objects.count() == 2


def test_command_finishes_a_stopped_run(tasks: Any, stopped_run: SyncRun, command: Callable[..., str]) -> None:
    assert command("logto_sync", "--create").endswith("created: 150\n")
    expect_all_synced()


def test_task_of_an_ended_run_does_nothing(logto: Emulator, tasks: Any, stopped_run: SyncRun) -> None:
    part = runs.open_parts(stopped_run)[0]
    runs.end(stopped_run)
    logto.requests.clear()
    tasks.sync_pages.delay(part.pk)
    tasks.finish.delay(stopped_run.pk)
    assert len(logto.requests) == 0


def test_pages_delivered_again_are_not_counted_twice(tasks: Any, stopped_run: SyncRun, caplog) -> None:
    caplog.set_level(logging.INFO, "logto_auth")
    done, *others = SyncPart.objects.order_by("pk")
    for part in [done, *others]:
        tasks.sync_pages.delay(part.pk)
    assert caplog.messages == ["logto_sync: created: 250"]


def test_pages_that_kill_every_worker_are_given_up(tasks: Any, stopped_run: SyncRun, caplog) -> None:
    SyncPart.objects.filter(is_done=False).update(attempts=runs.MAX_ATTEMPTS)
    for part in runs.open_parts(stopped_run):
        tasks.sync_pages.delay(part.pk)
    assert "The run is given up" in caplog.text
    assert User.objects.count() == 100


def test_process_whose_run_was_taken_stops(logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    first = runs.start_or_resume(creates_users=True)
    second = runs.start_or_resume(creates_users=True)
    assert first == second
    with pytest.raises(runs.RunEnded):
        notes.list_roles_and_organizations(first, management_api(), Report())
    notes.list_roles_and_organizations(second, management_api(), Report())
    with pytest.raises(runs.RunEnded):
        apply.sync_all_pages(first, management_api(), Report())
