"""Who belongs to which organization: `claims` reads it, `rows` stores it, `current` finds the current organization."""
