"""Releases that follow the first one, on a factory of their own: they go to every tenant that stands."""
