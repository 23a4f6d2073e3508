"""What signing in costs, measured beside others in one run: `make bench`.

Every candidate is a minimal site in a process of its own, on SQLite in memory, in front of the same emulator. Numbers
are medians; CPU time is that of the thread that serves the request, so neither the emulator nor waiting counts.
"""
