"""`make demo`: the whole factory on this machine, act by act."""
