"""A street of our own, seen by a CCTV camera: recordings and pictures whose truth is known because we made them."""
