"""The cost of signing in, compared with other packages in one run: `make bench`.

Each candidate is a minimal site in its own process, with SQLite in memory and the same emulator. Figures are medians.
CPU time is that of the thread that serves the request, without the emulator and without waiting.
"""
