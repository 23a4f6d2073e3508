"""`logto_auth.sync.sync`, the function for a site's own code."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from logto_auth.emulator import Emulator
from logto_auth.models import SyncRun
from logto_auth.sync import Report, sync

pytestmark = pytest.mark.django_db


class Messages(Report):
    """A report that keeps its progress."""

    stages: set[str]

    def __init__(self) -> None:
        super().__init__()
        self.stages = set()

    def progress(self, stage: str, done: int, total: int | None) -> None:
        self.stages.add(stage)


def test_sync_creates_users_and_returns_counts(logto: Emulator, machine: Any) -> None:
    logto.tenant.add_user(username="reader")
    report = sync(creates_users=True)
    assert report.counts["created"] == get_user_model().objects.count() == 1
    assert SyncRun.objects.get().finished_at is not None
    assert sync(creates_users=True).counts["unchanged"] == 1


def test_dry_run_changes_nothing(logto: Emulator, machine: Any) -> None:
    logto.tenant.add_user(username="reader")
    report = Messages()
    assert sync(creates_users=True, is_dry=True, report=report) is report
    assert report.counts["created"] == 1
    assert report.stages
    assert not get_user_model().objects.exists()
