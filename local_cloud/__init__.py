"""The local cloud: the factory's real templates, handlers and buildspecs, executed on this machine."""
