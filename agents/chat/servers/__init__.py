"""Language models behind a server: the client, what each server is able to take, how fast it may be asked."""
