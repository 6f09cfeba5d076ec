"""What stands behind the chat models: the connection, the engine, ceilings, and the form of replies."""
