"""How soon a drop is noticed, and how often nothing is called one: ours against the usual ways and the optimum."""
