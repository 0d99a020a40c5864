"""Router: which offer serves a request best for the money."""
