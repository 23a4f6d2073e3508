"""The management commands, and what several of them share. Users run the commands; no name here is public."""

__all__: list[str] = []
