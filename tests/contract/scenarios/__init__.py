"""Recorded calls, sent to the emulator in an order in which its state is that of the recorded Logto.

`play` sends and compares; each other module has the state and the order for one folder of `tests/recordings/1.42`.
"""
