"""Bundles into the board: `load` is the command, `inbox` the folder it empties, `legacy` the first QuitBoard's zip."""
