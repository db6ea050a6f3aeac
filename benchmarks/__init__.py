"""How fast the tap is, beside two peers in the same run."""
