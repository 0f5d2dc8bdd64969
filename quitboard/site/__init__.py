"""The public page: the database becomes static files. `build` is the entry; `pages` and `charts` are pure."""
