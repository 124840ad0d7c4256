"""What tests build on: real repositories, the real command, hostile settings, a model server."""
