"""The audit trail: who did what, to whom, when and from where, in rows that show if somebody has changed them.

An app of its own, for `INSTALLED_APPS`: "logto_auth.audit". The rest of the package knows nothing of it.
"""

from .recording import record_event

__all__ = ["record_event"]
