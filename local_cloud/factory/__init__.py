"""Granary itself on the local cloud: a workspace to commit in, the factory deployed from it, and the demo."""
