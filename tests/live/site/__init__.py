"""The small site under test. It uses only public names of the package."""
