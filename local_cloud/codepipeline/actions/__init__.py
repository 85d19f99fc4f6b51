"""The action types that the local cloud executes, one module each."""
