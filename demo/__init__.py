"""`make demo`: load an emulated plant with Meltano, and show what was loaded."""
