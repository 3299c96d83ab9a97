"""Faults under load: what is acknowledged must survive each of them. `make chaos` runs them long, `make test` short."""
