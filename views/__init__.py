"""Which address does what: one blueprint per page family, thin."""
