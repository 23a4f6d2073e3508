"""A sync with Celery. Its tasks run here one after the other, as on one worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity, SyncNote, SyncRun, UserStatus

celery = pytest.importorskip("celery")
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine")]
User = get_user_model()


@pytest.fixture
def tasks() -> Iterator[Any]:
    app = celery.Celery("tests", set_as_current=True)
    app.conf.update(task_always_eager=True, task_eager_propagates=True, task_store_eager_result=True)
    app.conf.result_backend = "cache+memory://"
    from logto_auth.contrib import celery as tasks

    yield tasks
    app.close()


def test_workers_sync_all_pages_and_finish(logto: Emulator, tasks: Any, monkeypatch) -> None:
    monkeypatch.setattr(tasks, "PAGES_PER_TASK", 1)
    logto.tenant.add_role("reader")
    subs = [logto.tenant.add_user(username=f"reader{number}", roles=["reader"]).id for number in range(250)]
    tasks.sync.delay(creates_users=True)
    assert User.objects.count() == 250
    assert {tuple(roles) for roles in LogtoIdentity.objects.values_list("roles", flat=True)} == {("reader",)}
    logto.tenant.delete_user(subs[7])
    tasks.sync.delay()
    assert LogtoIdentity.objects.get(sub=subs[7]).status == UserStatus.DELETED
    assert SyncRun.objects.filter(finished_at=None).count() == SyncNote.objects.count() == 0


def test_last_task_sums_the_counts(logto: Emulator, tasks: Any) -> None:
    logto.tenant.add_user(username="reader")
    run = tasks.runs.start_or_resume()
    tasks.notes.list_roles_and_organizations(run, tasks.management_api(), tasks.LoggedReport())
    counts = [{"created": 2, "updated": 1}, {"created": 3}]
    assert tasks.finish.run(counts, run.pk) == {"created": 5, "updated": 1}


def test_tenant_without_users_is_synced(tasks: Any) -> None:
    tasks.sync.delay()
    assert SyncRun.objects.get().finished_at is not None
