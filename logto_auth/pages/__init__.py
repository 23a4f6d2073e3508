"""What the pages for signed-in users have in common: those of the account centre, and those of organizations."""
