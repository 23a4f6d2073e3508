"""The pages of the console. They only present what `Console` does."""
