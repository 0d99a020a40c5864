"""How good models are: editions of scores, joined to models, put on one scale, blended."""
