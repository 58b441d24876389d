"""What people do: gerunds. The only place where stored data changes; every writer takes its `Change` first."""
