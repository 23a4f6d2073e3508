"""Journeys of a site with Logto, told once and tried on the emulator and on any real Logto.

`make test-live` runs them. `docs/how-to/test-against-logto.md` says how to name a Logto, and what the run makes and
removes there.
"""
