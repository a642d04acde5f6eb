"""Who may use the lab: users, their roles and their tokens."""
