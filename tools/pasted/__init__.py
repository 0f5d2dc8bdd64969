"""Test recordings between rendered and real: riders cut from labelled photos, riding through real street recordings."""
