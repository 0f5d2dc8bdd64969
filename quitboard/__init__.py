"""QuitBoard: recorded CCTV becomes a public, anonymised page of suspected scooter violations."""

__version__ = "0.1.0"
