"""The subcommands, one file each: `register(app)` adds it."""
