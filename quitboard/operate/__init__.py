"""Rooms joined: a board from start to end."""
