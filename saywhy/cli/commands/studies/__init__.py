"""The commands of `saywhy study`, one file each."""
