from tests.management_commands import api, fresh, run

__all__ = ["api", "fresh", "run"]
