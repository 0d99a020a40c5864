"""The methods of the contract, by topic."""
