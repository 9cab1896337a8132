"""The demo: a year of invented people, music and machines, told through the product's services.

Nothing here writes a fact by itself, so the demo cannot show a state that the product cannot
reach. `tell` (seed) plays it on an empty database whose clock it may move; names, titles and
moments are always the same, moments counted back from today.
"""
