"""Reconciles this site with Logto, some pages of people at a time.

`sync` does all of it, in four stages that can also be had one by one, and by several processes:

- `runs.begin` starts a run, or finds the one that was interrupted;
- `listing.take_notes` lists who has which roles and belongs to which organizations, and keeps that in the database;
- `people.sync_users_pages` has pages of people be here what Logto says, by the rules of a sign-in;
- `people.sync_missing` asks for those known here whom no page had, for rows slip through when pages are counted;
- `runs.end` forgets the notes.

Within a batch of pages, `planning` reads and decides, and `writing` does it in bulk.
"""

from __future__ import annotations

from logto_auth.management_api import ManagementAPI
from logto_auth.models import SyncRun

from . import notes, people, runs
from .report import Report

__all__ = ["Report", "sync"]


def sync(run: SyncRun, api: ManagementAPI, report: Report) -> None:
    """Do what is left of `run`."""
    notes.take_notes(run, api, report)
    people.sync_all_pages(run, api, report)
    people.sync_missing(run, api, report)
    runs.end(run)
