"""How data leaves: reading only, and the home of pandas."""
