"""How fast it is: always as a ratio to a floor built and run beside it in the same run. Nothing here fails on time."""
