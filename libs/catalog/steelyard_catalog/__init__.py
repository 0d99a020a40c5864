"""Identity of offers and providers in third-party catalogues, and the seed catalogue."""
