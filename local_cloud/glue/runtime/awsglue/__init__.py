"""What jobs need of AWS's library of this name, which is in no package index."""
