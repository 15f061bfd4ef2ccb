"""Files that arrive in a folder → runs, one after the other, and an archive by outcome. START HERE: `watcher`."""
