"""What is kept on the disk: files written whole, journals that survive a kill, locks between processes, databases."""
