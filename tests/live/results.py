"""The table at the end of a run: one row for each journey, one column for each Logto."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

OUTCOME = "outcome"


class Results:
    """A pytest plugin that notes how the journeys end, and prints them. `targets` are the names of the columns."""

    def __init__(self, targets: list[str]) -> None:
        self._targets = targets
        self._cells: dict[str, dict[str, str]] = {}
        self._seconds: dict[str, float] = dict.fromkeys(targets, 0)
        self._notes: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        target = next((name for name in self._targets if f"[{name}" in report.nodeid), None)
        if target is None:
            return
        journey = report.nodeid.rpartition("::")[2].replace(f"[{target}]", "").replace(f"[{target}-", "[")
        cells = self._cells.setdefault(journey.removeprefix("test_").replace("_", " "), {})
        self._seconds[target] += report.duration
        if report.failed:
            cells[target] = "failed"
        elif report.skipped:
            cells[target] = f"skip {self._note(_reason(report))}"
        elif report.when == "call":
            outcome = dict(report.user_properties).get(OUTCOME)
            cells[target] = f"{report.duration:.1f} s ok" + (f" {self._note(str(outcome))}" if outcome else "")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._cells:
            return
        terminalreporter.section("journeys")
        for line in self._lines():
            terminalreporter.write_line(line)

    def _lines(self) -> Iterator[str]:
        columns = [name for name in self._targets if any(name in cells for cells in self._cells.values())]
        totals = {name: f"{self._seconds[name]:.0f} s" for name in columns}
        rows = [("journey", {name: name for name in columns}), *self._cells.items(), ("all, with set-up", totals)]
        width = max(len(journey) for journey, _ in rows)
        for journey, cells in rows:
            yield "  ".join([journey.ljust(width), *(cells.get(name, "").ljust(20) for name in columns)]).rstrip()
        yield from (f"({number}) {note}" for number, note in enumerate(self._notes, 1))

    def _note(self, text: str) -> str:
        """Return the mark of a note below the table."""
        if text not in self._notes:
            self._notes.append(text)
        return f"({self._notes.index(text) + 1})"


def _reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(report.longrepr)
