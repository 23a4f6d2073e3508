"""What the emulator keeps in memory: the tenant and its records, sessions, tokens, keys and the clock.

Its modules do not use HTTP requests, and import nothing from the other sub-packages."""
