"""One module a command, each with a click command called `command`; `etl.cli.main.COMMANDS` lists them."""
