"""What a price is and what a usage costs; no input or output happens here."""
