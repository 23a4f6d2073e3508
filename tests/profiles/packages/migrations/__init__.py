"""The first migrations of the apps of the guides, as `makemigrations` writes them."""
