"""`make demo`: load a made-up plant with Meltano, and show what was loaded."""
