"""Who may read what: the file of permissions, grants, tags and plans; pure."""
